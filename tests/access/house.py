"""A front with a few routes behind it, over a real database, and a clock that tests move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from infra.accounts import Account, Accounts, Bounds
from infra.eventstore import open_store
from infra.eventstore.accounts import open_accounts
from infra.settings import Settings
from services.access import OPEN, SIGNED_IN, Right, needs, principal_of
from services.access.front import application
from services.access.passwords import hashed
from services.audit.access import Access, accesses

NOW_US = 1_750_000_000_000_000
MINUTE_US = 60_000_000
PASSWORD = "correct horse battery"
HASH = hashed("nobody", PASSWORD)
PAGE = {"accept": "text/html"}


@needs(Right.READ)
async def board(request: Request) -> Response:
    return JSONResponse({"who": principal_of(request).name})


@needs(Right.CLOSE)
async def close(request: Request) -> Response:
    return JSONResponse({"closed by": principal_of(request).name})


@needs(OPEN)
async def probe(_: Request) -> Response:
    return Response("here")


@needs(SIGNED_IN)
async def home(request: Request) -> Response:
    return JSONResponse({"who": principal_of(request).name})


def routes() -> list[BaseRoute]:
    return [
        Route("/board", board),
        Route("/close", close, methods=["POST"]),
        Route("/livez", probe),
        Route("/", home),
    ]


class House:
    """One front; `browser` gives clients that keep cookies as browsers do."""

    def __init__(self, url: str, **settings: Any) -> None:
        self.now_us = NOW_US
        self.settings = Settings(database=url, **settings)
        self.store = open_store(url)
        self.accounts: Accounts = open_accounts(self.store)
        self.app = application(
            self.settings, self.store, lambda: self.now_us, routes(), probes=("/livez",)
        )

    def browser(self, base: str = "http://localhost:8080", **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=("127.0.0.1", 40_000))
        return httpx.AsyncClient(transport=transport, base_url=base, headers=headers)

    def add(self, name: str, *roles: str, practices: tuple[str, ...] | None = None) -> None:
        bounds = Bounds(roles, practices)
        assert self.accounts.add_account(Account(name, HASH, bounds, self.now_us))

    def noted(self) -> list[Access]:
        return list(accesses(self.store))

    def pass_minutes(self, minutes: int) -> None:
        self.now_us += minutes * MINUTE_US


@contextmanager
def house(folder: Path, **settings: Any) -> Iterator[House]:
    made = House(f"sqlite:///{folder}/care.db", **settings)
    try:
        yield made
    finally:
        made.store.close()


async def sign_in(
    browser: httpx.AsyncClient, name: str, password: str = PASSWORD, to: str = "/"
) -> httpx.Response:
    """As the form does it."""
    fields = {"name": name, "password": password, "to": to}
    origin = str(browser.base_url).rstrip("/")
    return await browser.post("/auth/sign-in", data=fields, headers={**PAGE, "origin": origin})
