"""Each route is behind what it declares; one that declares nothing is not served."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.access import NOBODY, OPEN, SIGNED_IN, Principal, Right, Role, needs
from services.access.routes import UndeclaredRoute, guarded, table

BILLER = Principal("b", frozenset({Role.BILLER}), frozenset({"p1"}))


@needs(Right.CLOSE)
async def close(_: Request) -> Response:
    return PlainTextResponse("closed")


@needs(OPEN)
async def probe(_: Request) -> Response:
    return PlainTextResponse("here")


@needs(SIGNED_IN)
async def home(_: Request) -> Response:
    return PlainTextResponse("home")


class Pages:
    @needs(Right.READ)
    async def board(self, _: Request) -> Response:
        return PlainTextResponse("board")


async def forgotten(_: Request) -> Response:
    return PlainTextResponse("everything")


ROUTES = [Route("/close", close, methods=["POST"]), Route("/probe", probe), Route("/", home)]


def as_principal(principal: Principal, routes: list[BaseRoute]) -> httpx.AsyncClient:
    inner = Starlette(routes=guarded(routes))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["principal"] = principal
        await inner(scope, receive, send)

    found: ASGIApp = app
    return httpx.AsyncClient(transport=httpx.ASGITransport(found), base_url="http://localhost")


def fresh() -> list[BaseRoute]:
    return [Route(r.path, r.endpoint, methods=list(r.methods or ())) for r in ROUTES]


async def test_who_holds_the_right_gets_through() -> None:
    async with as_principal(BILLER, fresh()) as client:
        assert (await client.post("/close")).text == "closed"
        assert (await client.get("/")).text == "home"


async def test_who_does_not_hears_which_right_is_missing() -> None:
    auditor = Principal("a", frozenset({Role.AUDITOR}))
    async with as_principal(auditor, fresh()) as client:
        answer = await client.post("/close")
    assert (answer.status_code, answer.json()["right"]) == (403, "close")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_gets_a_401_and_a_browser_is_sent_to_sign_in_and_back() -> None:
    async with as_principal(NOBODY, fresh()) as client:
        assert (await client.get("/probe")).text == "here"
        answer = await client.get("/")
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        page = await client.get("/?month=2026-03", headers={"accept": "text/html"})
        assert page.status_code == 303
        assert page.headers["location"] == "/auth/sign-in?to=%2F%3Fmonth%3D2026-03"
        sent = await client.post("/close", headers={"accept": "text/html"})
        assert sent.headers["location"] == "/auth/sign-in?to=%2F"


async def test_without_a_front_before_it_nobody_may_anything() -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(Starlette(routes=guarded(fresh()))), base_url="http://h"
    ) as client:
        assert (await client.post("/close")).status_code == 401
        assert (await client.get("/probe")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"accept": "text/html, text/event-stream"},
        {"accept": "text/html", "hx-request": "true"},
        {"accept": "text/html", "sec-fetch-dest": "empty"},
        {"accept": "*/*"},
    ],
)
async def test_a_script_that_asks_for_a_part_of_a_page_hears_401(headers: dict[str, str]) -> None:
    """Led on to the page of signing in it would take that for the part, and ask again for ever."""
    async with as_principal(NOBODY, fresh()) as client:
        answer = await client.get("/", headers=headers)
    assert answer.status_code == 401
    assert ("hx-refresh" in answer.headers) == ("hx-request" in headers)


def test_a_route_that_declares_nothing_is_refused_by_name() -> None:
    with pytest.raises(UndeclaredRoute, match="/forgotten"):
        guarded([*fresh(), Route("/forgotten", forgotten)])
    with pytest.raises(UndeclaredRoute, match="/x/y"):
        guarded([Mount("/x", routes=[Route("/y", forgotten)])])
    with pytest.raises(UndeclaredRoute, match="/files"):
        guarded([Mount("/files", app=PlainTextResponse("files"))])
    with pytest.raises(UndeclaredRoute, match="another kind"):
        guarded([WebSocketRoute("/ws", probe)])


async def test_methods_and_mounts_are_declared_alike() -> None:
    files = needs(OPEN)(PlainTextResponse("files"))
    routes: list[BaseRoute] = [
        Mount("/pages", routes=[Route("/board", Pages().board)]),
        Mount("/files", app=files),
    ]
    assert table(routes) == {
        ("/pages/board", "GET"): Right.READ,
        ("/pages/board", "HEAD"): Right.READ,
        ("/files", "*"): OPEN,
    }
    async with as_principal(NOBODY, routes) as client:
        assert (await client.get("/pages/board")).status_code == 401
        assert (await client.get("/files/a.css")).text == "files"
