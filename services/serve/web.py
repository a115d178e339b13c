"""HTTP of a serving process: who may ask, where it is bound, and how it ends."""

from __future__ import annotations

import hmac
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.settings import Settings
from services.serve.health import LIVE, READY

OPEN_PATHS: Final = (LIVE, READY)
"""Probes cannot bring a token everywhere; their answers hold no data."""

ASYNCAPI: Final = "/asyncapi.json"

LISTEN_BACKLOG: Final = 2048
GRACE_SECONDS: Final = 3
"""How long open requests may go on after the stop signal."""


class BearerToken:
    """Lets only those in who bring the configured token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self._brought(scope):
            await self._app(scope, receive, send)
            return
        detail = "expected the configured token as Authorization: Bearer …"
        body = {"title": "A token is needed", "status": 401, "detail": detail}
        headers = {"www-authenticate": "Bearer"}
        answer = Response(msgspec.json.encode(body), 401, headers, "application/problem+json")
        await answer(scope, receive, send)

    def _brought(self, scope: Scope) -> bool:
        found = [value for name, value in scope["headers"] if name == b"authorization"]
        return len(found) == 1 and hmac.compare_digest(found[0], self._wanted)


class Server(uvicorn.Server):
    """uvicorn inside our own event loop; signals are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def app(settings: Settings, routes: Sequence[BaseRoute]) -> Starlette:
    """The application: these routes, behind the token if there is one."""
    token = settings.http_token
    guards = [Middleware(BearerToken, token=token.get_secret_value())] if token else []
    return Starlette(routes=routes, middleware=guards)


def described(settings: Settings) -> Route:
    """`/asyncapi.json`: what this process's topics carry; made when somebody first asks."""
    made: list[bytes] = []

    def answer(_: Request) -> Response:
        if not made:
            from services.asyncapi import document

            made.append(msgspec.json.encode(document(settings)))
        return Response(made[0], headers={"content-type": "application/json"})

    return Route(ASYNCAPI, answer)


def server(application: Starlette) -> Server:
    """A server of the application. It writes no access log: paths name patients."""
    return Server(
        uvicorn.Config(
            application,
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
    )


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=LISTEN_BACKLOG)


def address(listener: socket.socket) -> str:
    """The base URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
