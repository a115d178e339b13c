"""Pages asked for without a browser: the routes over a grown log, as any principal."""

from __future__ import annotations

from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services.access import EVERYBODY_HERE, Principal, Role
from services.bootstrap import Parts
from services.pages import routes
from services.serve.reads import Reads

ADMIN = EVERYBODY_HERE


def person(role: Role, *practices: str) -> Principal:
    """Somebody in a role, bound to these practices."""
    return Principal("Ada Byron", frozenset({role}), frozenset(practices))


class _As:
    """Puts the principal where guards put whom they found."""

    def __init__(self, app: ASGIApp, who: list[Principal]) -> None:
        self._app, self._who = app, who

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["principal"] = self._who[0]
        await self._app(scope, receive, send)


class Pages:
    """The pages over these parts; `who` asks until somebody else is put there."""

    def __init__(self, parts: Parts, who: Principal = ADMIN) -> None:
        self._who = [who]
        middleware = [Middleware(_As, who=self._who)]
        pages = routes.Pages(parts, Reads(parts), parts.ingest())
        app = Starlette(routes=pages.routes(), middleware=middleware)
        self._transport = httpx.ASGITransport(app=app)

    def become(self, who: Principal) -> None:
        self._who[0] = who

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self._ask("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self._ask("POST", path, **options)

    async def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        base = "http://127.0.0.1"
        async with httpx.AsyncClient(transport=self._transport, base_url=base) as client:
            return await client.request(method, path, **options)
