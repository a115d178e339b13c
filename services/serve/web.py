"""HTTP of a serving process: who may ask, where it is bound, and how it ends."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from infra.settings import Settings
from services.access import SIGNED_IN, needs
from services.access.front import application
from services.bootstrap import Parts
from services.serve.health import LIVE, READY

ASYNCAPI: Final = "/asyncapi.json"

LISTEN_BACKLOG: Final = 2048
GRACE_SECONDS: Final = 3
"""How long open requests may go on after the stop signal."""


class Server(uvicorn.Server):
    """uvicorn inside our own event loop; signals are ours."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def app(parts: Parts, routes: Sequence[BaseRoute]) -> Starlette:
    """The application: these routes and those of signing in, each behind what it needs.

    Raises UndeclaredRoute, and ValueError for settings that cannot be used.
    """
    return application(parts.settings, parts.store, parts.clock, routes, probes=(LIVE, READY))


def described(settings: Settings) -> Route:
    """`/asyncapi.json`: what this process's topics carry; made when somebody first asks."""
    made: list[bytes] = []

    @needs(SIGNED_IN)
    def answer(_: Request) -> Response:
        if not made:
            from services.asyncapi import document

            made.append(msgspec.json.encode(document(settings)))
        return Response(made[0], headers={"content-type": "application/json"})

    return Route(ASYNCAPI, answer)


def server(settings: Settings, application: Starlette) -> Server:
    """A server of the application. It writes no access log: paths name patients.

    Raises ValueError where its certificate cannot be used.
    """
    config = uvicorn.Config(
        application,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        proxy_headers=bool(settings.http_proxies),
        forwarded_allow_ips=settings.http_proxies.replace(" ", "") or None,
        ssl_certfile=settings.http_certfile or None,
        ssl_keyfile=settings.http_keyfile or None,
    )
    try:
        config.load()
    except OSError as error:  # those of TLS are among them
        names = "http_certfile, http_keyfile"
        raise ValueError(f"{names}: cannot be used: {error.strerror or error}") from None
    return Server(config)


def bound(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=LISTEN_BACKLOG)


def address(settings: Settings, listener: socket.socket) -> str:
    """The base URL of a listening socket."""
    host, port = listener.getsockname()[:2]
    scheme = "https" if settings.http_certfile else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
