"""The timer in a real browser: through closed tabs, other tabs and a restart of the server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from infra.eventstore import open_store
from services.demo.server import http_server
from services.pages.routes import Pages
from services.serve.reads import Reads
from tests.audit.growing import FIRST_US, GrowingLog
from tests.chromium import violations
from tests.given import ready
from tests.pages.entering import MONTH, PAGE, command, log
from tests.services.command import Command

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

__all__ = ["command", "log"]

OTHER = f"/patients/p1/pt2/{MONTH}"
MINUTE = 60_000_000


class Server:
    """A server over the store's file, which can be ended and begun again as another process is."""

    def __init__(self, log: GrowingLog, url: str) -> None:
        self._log, self._url = log, url
        self._serving = ExitStack()
        self._port = 0
        self.base = ""

    def start(self) -> None:
        parts = replace(self._log.parts, store=open_store(self._url))
        self._serving.callback(parts.store.close)
        pages = Pages(parts, Reads(parts), parts.ingest())
        self.base = self._serving.enter_context(http_server(parts, pages.routes(), self._port))
        self._port = int(self.base.rpartition(":")[2])

    def stop(self) -> None:
        self._serving.close()


@pytest.fixture
def server(log: GrowingLog, command: Command) -> Iterator[Server]:
    log.take([replace(e, patient_id="pt2", id=f"b{e.id}") for e in ready(MONTH)], FIRST_US)
    made = Server(log, command.database)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    yield made
    made.close()


def opened(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    page.goto(address)
    return page


def test_it_runs_on_through_a_closed_tab_and_a_restart_and_is_logged(
    context: BrowserContext, server: Server, log: GrowingLog
) -> None:
    first = opened(context, server.base + PAGE)
    first.get_by_role("button", name="Start the timer").click()
    expect(first.locator("#timer")).to_contain_text("running pt1")
    first.close()
    log.now_us += 2 * MINUTE
    server.stop()
    server.start()
    page = opened(context, f"{server.base}/board/p1/{MONTH}")
    expect(page.locator("#timer .clock")).to_contain_text("2:0")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#timer")).to_contain_text("paused pt1")
    log.now_us += 30 * MINUTE
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#timer")).to_contain_text("running pt1")
    log.now_us += MINUTE
    page.get_by_role("button", name="Stop and log").click()
    expect(page.get_by_role("heading", name="Log measured time: pt1")).to_be_visible()
    page.close()
    page = opened(context, server.base + PAGE)
    page.get_by_role("link", name="Log 3:00 for pt1").click()
    page.get_by_label("Who worked").fill("rn7")
    page.get_by_label("Role").select_option("clinical staff")
    page.get_by_role("button", name="Log it").click()
    expect(page.locator("#entered")).to_contain_text("3:00 more count. 99490 earned.")
    expect(page.locator("#timer")).to_be_hidden()


def test_the_clock_counts_on_by_itself(context: BrowserContext, server: Server) -> None:
    page = opened(context, server.base + PAGE)
    page.get_by_role("button", name="Start the timer").click()
    expect(page.locator("#timer .clock")).to_have_text("0:02")
    expect(page.locator("#timer .clock")).to_have_text("0:03")


def test_another_tab_sees_what_was_done_in_this_one(
    context: BrowserContext, server: Server
) -> None:
    one, other = (opened(context, server.base + path) for path in (PAGE, OTHER))
    asked: list[dict[str, str]] = []
    other.on("request", lambda r: asked.append(r.headers) if r.url.endswith("/timer") else None)
    one.get_by_role("button", name="Start the timer").click()
    expect(other.locator("#timer")).to_contain_text("running pt1")
    other.locator("#timer").get_by_role("button", name="Pause").click()
    expect(other.locator("#timer")).to_contain_text("paused pt1")
    expect(other.get_by_role("heading", name="Patient pt2")).to_be_visible()
    expect(one.locator("#timer")).to_contain_text("paused pt1")
    assert asked
    assert all(headers["x-unattended"] == "1" for headers in asked)


def test_a_second_one_asks_and_makes_the_first_give_way(
    context: BrowserContext, server: Server, log: GrowingLog
) -> None:
    page = opened(context, server.base + PAGE)
    page.get_by_role("button", name="Start the timer").dblclick()
    expect(page.locator("#timer")).to_contain_text("running pt1")
    log.now_us += MINUTE
    page.goto(server.base + OTHER)
    page.get_by_role("button", name="Start the timer").click()
    expect(page.get_by_role("heading", name="Another timer of yours runs")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Pause it and start for pt2").click()
    expect(page.get_by_role("heading", name="Patient pt2")).to_be_visible()
    expect(page.locator("#timer")).to_contain_text("running pt2")
    page.get_by_role("link", name="1 more paused").click()
    expect(page.locator("#timers")).to_contain_text("pt1")
    page.locator("#timers").get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Stop it, to be logged, and start for pt1").click()
    expect(page.locator("#timers")).to_contain_text("stopped")


def test_without_a_script_it_shows_the_time_at_loading(
    browser: Browser, server: Server, log: GrowingLog
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(server.base + PAGE)
    page.get_by_role("button", name="Start the timer").click()
    expect(page.locator("#timer")).to_contain_text("running pt1")
    log.now_us += 5 * MINUTE
    page.reload()
    expect(page.locator("#timer .clock")).to_have_text("5:00")
    page.get_by_role("button", name="Stop and log").click()
    expect(page.get_by_role("heading", name="Log measured time: pt1")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_fault_in_the_bar_and_the_log(
    browser: Browser, server: Server, log: GrowingLog, look: str, width: int
) -> None:
    page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    def is_sound() -> None:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    page.goto(server.base + PAGE)
    page.get_by_role("button", name="Start the timer").click()
    expect(page.locator("#timer")).to_contain_text("running pt1")
    is_sound()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#timer")).to_contain_text("paused pt1")
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#timer")).to_contain_text("running pt1")
    log.now_us += 200 * MINUTE
    page.goto(f"{server.base}/enter/p1/{MONTH}")
    expect(page.locator("#timer")).to_contain_text("for 3 hours: still at it?")
    is_sound()
    page.get_by_role("button", name="Stop and log").click()
    page.get_by_label("Who worked").fill("rn7")
    page.get_by_label("Role").select_option("clinical staff")
    is_sound()
    page.get_by_role("button", name="Log it").click()
    expect(page.get_by_role("alert")).to_contain_text("Was all of it work?")
    is_sound()
    assert [each for each in said if "422" not in each] == []
    page.context.close()
