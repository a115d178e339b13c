"""A real HTTP receiver: keeps what it is sent, answers as told."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@dataclass(frozen=True)
class Received:
    """One request: path, headers in small letters, body, and when it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Reply = tuple[int, dict[str, str]]


@dataclass
class Receiver:
    """`answer` is asked for every request, in turn; its reply may take `delay` seconds."""

    url: str = ""
    got: list[Received] = field(default_factory=list)
    answer: Callable[[Received], Reply] = lambda _: (204, {})
    delay: float = 0.0
    port: int = 0

    def ids(self) -> list[str]:
        return [found.id for found in self.got]

    async def take(self, request: Request) -> Response:
        body = await request.body()
        found = Received(request.url.path, dict(request.headers), body, time.monotonic())
        self.got.append(found)
        if self.delay:
            await asyncio.sleep(self.delay)
        status, headers = self.answer(found)
        return Response(status_code=status, headers=headers)


@contextmanager
def served(app: Any, **options: Any) -> Iterator[int]:
    """An application on a free port of this machine, by a real server in a thread."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=1, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


@contextmanager
def receiver(**options: Any) -> Iterator[Receiver]:
    """A receiver that takes any POST."""
    found = Receiver()
    app = Starlette(routes=[Route("/{path:path}", found.take, methods=["POST", "GET"])])
    with served(app, **options) as port:
        found.port = port
        found.url = f"http://127.0.0.1:{port}/in"
        yield found


async def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something to be so; an error when it is not in time."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.01)
