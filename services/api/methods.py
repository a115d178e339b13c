"""HEAD, OPTIONS and methods that an address does not have, the same for every route."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.problems import problem

OURS: Final = frozenset({"HEAD", "OPTIONS"})


class Methods:
    """HEAD is a GET whose body is not sent; OPTIONS says what there is."""

    def __init__(
        self,
        app: ASGIApp,
        routes: Callable[[], Iterable[BaseRoute]],
        beside: Iterable[BaseRoute] = (),
    ) -> None:
        """`beside` are routes of the whole process under the same prefix: another method at one of
        their addresses comes here too."""
        self._app, self._routes, self._beside = app, routes, list(beside)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = self._allowed(scope)
        method = scope["method"]
        if not allowed or method in allowed - OURS:
            await self._app(scope, receive, send)
        elif method == "HEAD" and "GET" in allowed:
            await self._app({**scope, "method": "GET"}, receive, _bodiless(send))
        else:
            await _told(method, allowed)(scope, receive, send)

    def _allowed(self, scope: Scope) -> set[str]:
        """The methods of this address, empty where there is none."""
        found: set[str] = set()
        whole = {**scope, "root_path": ""}
        asked = [(route, scope) for route in self._routes()]
        for route, seen in (*asked, *((route, whole) for route in self._beside)):
            if route.matches(seen)[0] is not Match.NONE:
                found |= getattr(route, "methods", None) or set()
        if found:
            found |= {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())
        return found


def _told(method: str, allowed: set[str]) -> Response:
    names = ", ".join(sorted(allowed))
    headers = {"allow": names}
    if method == "OPTIONS":
        return Response(status_code=204, headers=headers)
    title = "The method is not for this address"
    return problem(405, f"expected one of {names}; found {method[:20]!r}.", title, headers)


def _bodiless(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sent
