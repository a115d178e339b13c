"""What each route needs: declared beside it, asked before it, and refused at start where missing.

    @needs(Right.READ)
    async def board(request: Request) -> Response: ...

A route that declares nothing is not served at all: `guarded` raises, and the process does not
start. So no route can be forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Final, TypeVar

from starlette.requests import HTTPConnection
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from services.access import answers
from services.access.principal import NOBODY, Principal, Right, principal_of

__all__ = ["OPEN", "SIGNED_IN", "Need", "UndeclaredRoute", "guarded", "needs", "table"]


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


def guarded(routes: Iterable[BaseRoute]) -> list[BaseRoute]:
    """These routes, each behind what it declares. Raises UndeclaredRoute."""
    kept = list(routes)
    for _, route, need in _declared(kept):
        route.app = Guard(route.app, need)
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
    """Lets a request through to its route where its principal may."""

    def __init__(self, app: ASGIApp, need: Need) -> None:
        self.needed_right = need
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = HTTPConnection(scope)
        principal = principal_of(connection)
        if _may(principal, self.needed_right):
            await self._app(scope, receive, send)
        elif principal is NOBODY:
            await answers.sign_in_first(connection)(scope, receive, send)
        else:
            await answers.not_yours(connection, self.needed_right)(scope, receive, send)


def _may(principal: Principal, need: Need) -> bool:
    if need is OPEN:
        return True
    if need is SIGNED_IN:
        return principal is not NOBODY
    return isinstance(need, Right) and principal.may(need)
