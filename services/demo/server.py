"""A real HTTP server inside this process, loopback only: the demo's door and its pages."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.routing import BaseRoute

from services.access.front import application
from services.bootstrap import Parts

HOST: Final = "127.0.0.1"
START_SECONDS_MAX: Final = 15.0
STOP_SECONDS_MAX: Final = 10.0
GRACE_SECONDS: Final = 1
"""How long streams may go on after the stop; whoever reads one comes back by itself."""


@contextmanager
def http_server(parts: Parts, routes: Sequence[BaseRoute], port: int = 0) -> Iterator[str]:
    """Serve these routes over the parts in a thread, guarded as everywhere; gives the base
    address. Port 0 takes a free one.

    Raises OSError when the port cannot be had.
    """
    listener = socket.create_server((HOST, port))
    config = uvicorn.Config(
        application(parts.settings, parts.store, parts.clock, routes),
        log_level="error",
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="http", daemon=True)
    thread.start()
    try:
        _until_started(server, thread)
        yield f"http://{HOST}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(STOP_SECONDS_MAX)
        listener.close()


def _until_started(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_SECONDS_MAX
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise OSError("the HTTP server did not start")
        time.sleep(0.005)
