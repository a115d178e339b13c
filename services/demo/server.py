"""The HTTP door on a real server inside this process, loopback only."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette

from services.doors.http import routes
from services.ingest import Ingest

HOST: Final = "127.0.0.1"
START_SECONDS_MAX: Final = 15.0
STOP_SECONDS_MAX: Final = 10.0


@contextmanager
def http_door(ingest: Ingest, port: int = 0) -> Iterator[str]:
    """Serve the door in a thread; gives its base address. Port 0 takes a free one.

    Raises OSError when the port cannot be had.
    """
    listener = socket.create_server((HOST, port))
    app = Starlette(routes=routes(ingest))
    config = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],), name="http-door", daemon=True)
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
            raise OSError("the HTTP door did not start")
        time.sleep(0.005)
