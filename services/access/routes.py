"""What each route needs: declared beside it, asked before it, and refused at start where missing.

    @needs(Right.READ)
    async def board(request: Request) -> Response: ...

A route that declares nothing is not served at all: `guarded` raises, and the process does not
start. So no route can be forgotten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.access import answers
from services.access.limits import Rate
from services.access.principal import EVERYBODY_HERE, NOBODY, Right, principal_of

__all__ = ["OPEN", "SIGNED_IN", "Need", "UndeclaredRoute", "guarded", "needs", "table"]

log = logging.getLogger("caretally.access")


class _Anyone(StrEnum):
    """What is no right, and still said of a route."""

    OPEN = "open"
    SIGNED_IN = "signed-in"


OPEN: Final = _Anyone.OPEN
"""Whoever asks: probes, the way in, style sheets. Its answers hold no data."""
SIGNED_IN: Final = _Anyone.SIGNED_IN
"""Whoever is known, with whatever roles."""

Need = Right | _Anyone
Declared = TypeVar("Declared")
_NAME: Final = "needed_right"


class UndeclaredRoute(TypeError):
    """A route says nothing of what it needs; the message names it."""


def needs(what: Need) -> Callable[[Declared], Declared]:
    """Declare what an endpoint (or an application to be mounted) needs."""

    def declare(endpoint: Declared) -> Declared:
        setattr(endpoint, _NAME, what)
        return endpoint

    return declare


def guarded(routes: Iterable[BaseRoute], per_minute: int = 0) -> list[BaseRoute]:
    """These routes, each behind what it declares; `per_minute` requests of each principal are let
    through, events apart. Raises UndeclaredRoute."""
    kept = list(routes)
    rate = Rate(per_minute) if per_minute else None
    for _, route, need in _declared(kept):
        route.app = Guard(route.app, need, None if need is Right.FEED else rate)
    return kept


def table(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], Need]:
    """What is needed, by path and method (`*` for whatever is mounted). Raises UndeclaredRoute."""
    found: dict[tuple[str, str], Need] = {}
    for path, route, need in _declared(routes):
        methods = route.methods if isinstance(route, Route) else None
        for method in sorted(methods or {"*"}):
            found[path, method] = need
    return found


def _declared(
    routes: Iterable[BaseRoute], prefix: str = ""
) -> Iterator[tuple[str, Route | Mount, Need]]:
    for route in routes:
        if not isinstance(route, Route | Mount):
            raise UndeclaredRoute(f"{route!r}: expected a route or a mount; found another kind")
        path = prefix + route.path
        whole = isinstance(route, Route) or hasattr(route.app, _NAME) or not route.routes
        if whole:
            yield path, route, _need(route, path)
        elif isinstance(route, Mount):
            yield from _declared(route.routes, path)


def _need(route: Route | Mount, path: str) -> Need:
    found = getattr(route.endpoint if isinstance(route, Route) else route.app, _NAME, None)
    if not isinstance(found, Right | _Anyone):
        raise UndeclaredRoute(f"{path}: expected @needs(…) on its endpoint")
    return found


class Guard:
    """Lets a request through to its route where its principal may, and not too often."""

    def __init__(self, app: ASGIApp, need: Need, rate: Rate | None = None) -> None:
        self.needed_right = need
        self._app, self._rate = app, rate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = await self._refusal(HTTPConnection(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
        elif self.needed_right is OPEN:
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _unkept(send))

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        principal, need = principal_of(connection), self.needed_right
        if principal is NOBODY and need is not OPEN:
            return answers.sign_in_first(connection)
        if isinstance(need, Right) and not principal.may(need):
            await note_refusal(connection, f"the right {need} is not theirs")
            return answers.not_yours(connection, need)
        if self._rate is None or need is OPEN or principal is EVERYBODY_HERE:
            return None
        seconds = self._rate.wait(principal.name)
        return answers.too_many(seconds) if seconds else None


async def note_refusal(connection: HTTPConnection, why: str) -> None:
    """Write down that the principal asked for what is not theirs. What cannot be written is said
    in the log of the process: the request is refused either way."""
    notes = getattr(connection.state, "notes", None)
    if notes is None:
        return
    try:
        name = principal_of(connection).name
        await run_in_threadpool(notes.refused, connection, name, why)
    except Exception as error:
        log.warning("a refusal cannot be written down: %s", type(error).__name__)


def _unkept(send: Send) -> Send:
    """Whatever is about patients stays in no cache, unless its route says how."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).setdefault("cache-control", "no-store")
        await send(message)

    return sent
