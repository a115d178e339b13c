"""The slider in a real browser: moves through recorded time, marks what differs, keeps focus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from infra.eventstore import open_store
from services.demo.server import http_server
from services.pages.routes import Pages
from services.serve.reads import Reads
from tests.audit.scene import lived
from tests.chromium import turned, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGE = "/patients/p1/pt1/2025-03"
EARNED = "2025-04-02T12:00:00Z"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('slider')}/store.db")
    log = lived(store)
    pages = Pages(log.parts, Reads(log.parts), log.parts.ingest())
    with http_server(log.parts, pages.routes()) as address:
        yield address
    store.close()


def test_the_slider_shows_the_month_as_it_was_and_marks_what_differs(page: Page) -> None:
    """Arrow keys move it; the focus stays, the address says the moment, back to now nothing is
    marked any more."""
    stop = page.locator("#stop")
    stop.focus()
    page.keyboard.press("Home")
    page.get_by_text("moment 1 of 4").wait_for()
    page.keyboard.press("ArrowRight")
    page.get_by_text("moment 2 of 4").wait_for()
    assert page.locator(".summary .status .figure").inner_text() == "billable"
    assert page.locator(".summary .status .differs").inner_text() == "≠ now: diverged"
    assert page.url.endswith("?as_of=2025-04-02T12%3A00%3A00Z")
    assert stop.evaluate("e => e === document.activeElement")
    assert stop.get_attribute("aria-valuetext") == EARNED
    page.keyboard.press("End")
    page.get_by_text("moment 4 of 4").wait_for()
    assert page.locator(".differs").count() == 0
    assert page.url.endswith(PAGE)


def test_what_a_reader_opened_stays_open(page: Page) -> None:
    page.locator("#sources > summary").click()
    page.get_by_role("link", name="Earlier").click()
    page.get_by_text("moment 3 of 4").wait_for()
    assert page.locator("#sources").evaluate("e => e.open")
    assert page.locator("#stop").input_value() == "2"


def test_another_comparison_is_shown_at_once(page: Page) -> None:
    page.get_by_label("the moment before").check()
    page.get_by_text("lines differ from the moment before").wait_for()
    assert page.locator(".summary .status .differs").inner_text() == "≠ before: claimed"


def test_the_last_move_wins(page: Page) -> None:
    """However quickly the slider is dragged, the page ends where it was left."""
    for value in ("0", "2", "1", "3", "0", "1"):
        page.locator("#stop").evaluate(
            "(e, v) => { e.value = v; e.dispatchEvent(new Event('input', {bubbles: true})) }", value
        )
    page.get_by_text("moment 2 of 4").wait_for()
    page.wait_for_timeout(400)
    assert page.get_by_text("moment 2 of 4").is_visible()


def test_without_a_script_links_and_a_form_do_the_same(base: str, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(base + PAGE)
    for _ in range(2):
        with turned(page):
            page.get_by_role("link", name="Earlier").click()
    assert page.get_by_text("moment 2 of 4").is_visible()
    page.locator(".instant input").fill("2025-04-01T13:00:00Z")
    with turned(page):
        page.locator(".instant button").click()
    assert page.get_by_text("moment 1 of 4").is_visible()
    with turned(page):
        page.locator("#slider button").click()
    assert page.url.endswith("?as_of=2025-04-01T12%3A00%3A00Z")
    page.context.close()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("query", ["", f"?as_of={EARNED}", "?as_of=2024-01-01T00:00:00Z"])
def test_axe_finds_no_fault_and_nothing_is_wider_than_the_window(
    base: str, browser: Browser, look: str, width: int, query: str
) -> None:
    page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(base + PAGE + query)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    page.context.close()
