"""Asks the API as programs do: over HTTP, as somebody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from services.access import EVERYBODY_HERE, Principal, Role
from services.access.routes import guarded
from services.api.application import mounted
from services.api.desk import Desk
from services.audit.access import Access, accesses
from services.bootstrap import Parts
from services.doors import http
from services.ingest import Ingest
from services.serve.reads import Reads
from tests.receiver import served

PT1 = "/api/v1/practices/p1/patients/pt1"
MARCH = f"{PT1}/months/2025-03"


class As:
    """Lets every request come from one principal."""

    def __init__(self, app: ASGIApp, asked: Asked) -> None:
        self._app, self._asked = app, asked

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["principal"] = self._asked.principal
        await self._app(scope, receive, send)


@dataclass
class Asked:
    """A client, and whom its requests come from."""

    parts: Parts
    client: httpx.Client
    principal: Principal = EVERYBODY_HERE

    def bind(self, *practices: str, role: Role = Role.ADMIN) -> None:
        """From here on somebody of these practices asks."""
        self.principal = Principal("somebody", frozenset({role}), frozenset(practices))

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        return self.client.get(path, params=query or None, headers=headers)

    def json(self, path: str, **query: Any) -> Any:
        """The answer of a request that is taken."""
        answer = self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages(self, path: str, **query: Any) -> Iterator[httpx.Response]:
        """Every page from the first on."""
        answer = self.get(path, **query)
        while True:
            assert answer.status_code == 200, answer.text
            yield answer
            following = answer.json()["next"]
            if following is None:
                return
            assert answer.links["next"]["url"] == following
            answer = self.get(following)

    def items(self, path: str, **query: Any) -> list[Any]:
        return [item for page in self.pages(path, **query) for item in page.json()["items"]]

    def reads(self) -> list[Access]:
        """What the access log holds."""
        return list(accesses(self.parts.store))


@contextmanager
def asking(parts: Parts, ingest: Ingest | None = None, noted: bool = True) -> Iterator[Asked]:
    """The API served over these parts; with `noted` False without the access log, for many quick
    looks."""
    note = Reads(parts).note if noted else lambda _request, _wanted: None
    desk = Desk(parts, note, ingest)
    asked = Asked(parts, httpx.Client())
    door = [] if ingest is None else http.routes(ingest)
    routes = guarded([*door, mounted(desk, parts.settings, door)])
    app = Starlette(routes=routes, middleware=[Middleware(As, asked=asked)])
    with (
        served(app) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        asked.client = client
        yield asked
    desk.close()
