"""Routes alone, as everybody on this machine may ask them: without the front that they are served
behind, nobody may anything."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services.access import EVERYBODY_HERE


class _Here:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["principal"] = EVERYBODY_HERE
        await self._app(scope, receive, send)


HERE = [Middleware(_Here)]
