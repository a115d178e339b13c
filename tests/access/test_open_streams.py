"""Answers that go on, such as a stream of alerts: they end with their session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.access.identify import RECHECK_SECONDS, Identified, Ways
from services.access.noting import Notes
from tests.access.house import House, house, sign_in
from tests.access.whole import heard


@pytest.fixture
def front(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.add("ann", "admin")
        yield made


class Endless:
    """A stream behind identification; each piece takes as long as a recheck waits for."""

    def __init__(self, front: House) -> None:
        self.sent, self.now = 0, 0.0
        ways = Ways(front.settings, front.accounts, lambda: front.now_us)
        notes = Notes(front.store, lambda: front.now_us)
        identified = Middleware(Identified, ways=ways, notes=notes, monotonic=lambda: self.now)
        self.app = Starlette(routes=[Route("/", self._answer)], middleware=[identified])
        self.at = {3: lambda: None}

    async def _answer(self, _: Request) -> Response:
        async def pieces():  # type: ignore[no-untyped-def]
            while self.sent < 20:
                self.sent += 1
                self.now += RECHECK_SECONDS
                self.at.get(self.sent, lambda: None)()
                yield b": \n\n"

        return StreamingResponse(pieces(), media_type="text/event-stream")

    async def read(self, secret: str) -> bytes:
        headers = {"host": "localhost", "cookie": f"caretally={secret}"}
        return (await heard(self.app, "GET", "/", headers, b"", seconds=30)).body


async def secret_of(front: House) -> str:
    async with front.browser() as browser:
        await sign_in(browser, "ann")
        return browser.cookies["caretally"]


async def test_a_stream_ends_soon_after_its_account_is_disabled(front: House) -> None:
    stream = Endless(front)
    stream.at = {3: lambda: front.accounts.set_disabled("ann", True)}  # type: ignore[dict-item]
    body = await stream.read(await secret_of(front))
    assert body.count(b": \n\n") == 2


async def test_a_stream_ends_when_its_session_is_idle_and_does_not_count_as_use(
    front: House,
) -> None:
    stream = Endless(front)
    stream.at = {n: lambda: front.pass_minutes(4) for n in range(1, 21)}
    body = await stream.read(await secret_of(front))
    assert body.count(b": \n\n") == 7


async def test_a_stream_whose_session_goes_on_goes_on(front: House) -> None:
    assert (await Endless(front).read(await secret_of(front))).count(b": \n\n") == 20


@pytest.mark.parametrize("headers", [{"accept": "text/event-stream"}, {"x-unattended": "1"}])
async def test_what_a_page_asks_by_itself_keeps_no_session_alive(
    front: House, headers: dict[str, str]
) -> None:
    async with front.browser() as browser:
        await sign_in(browser, "ann")
        front.pass_minutes(20)
        assert (await browser.get("/board", headers=headers)).status_code == 200
        front.pass_minutes(10)
        assert (await browser.get("/board")).status_code == 401


async def test_other_roles_end_a_stream_too(front: House) -> None:
    from infra.accounts import Bounds

    stream = Endless(front)
    stream.at = {
        2: lambda: front.accounts.set_bounds("ann", Bounds(("auditor",), ()))  # type: ignore[dict-item]
    }
    assert (await stream.read(await secret_of(front))).count(b": \n\n") == 1
