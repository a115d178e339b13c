"""The queue in a real browser: read why, correct, be told what is still wrong, see it counted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.eventstore import open_store
from services.demo.server import http_server
from services.pages.routes import Pages
from services.serve.reads import Reads
from tests.audit.growing import GrowingLog
from tests.chromium import violations
from tests.pages.queueing import MONTH, PAGE, STRANGE, letter, queue, seconds
from tests.pages.test_queue_conflicts import conflicting

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WHY = "the nurse said so"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[GrowingLog]:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    yield queue(store)
    store.close()


def corrected(page: Page, wrong: str, right: str) -> None:
    """Replace a part of the text as a person does, say why, and send it."""
    text = page.get_by_label("The whole message")
    text.fill(text.input_value().replace(wrong, right))
    page.get_by_label("Why", exact=True).fill(WHY)
    page.get_by_role("button", name="Correct and replay").click()


def test_from_the_list_to_a_corrected_letter_and_the_month_it_changed(
    page: Page, log: GrowingLog
) -> None:
    from playwright.sync_api import expect

    waiting = page.get_by_role("navigation", name="Pages").get_by_role("link", name="Queue")
    expect(waiting).to_contain_text("6")
    page.get_by_role("link", name="1", exact=True).click()
    expect(page.locator("mark")).to_contain_text("T09:40:00-04:00")
    corrected(page, "T09:40:00", "T10:20:00")
    expect(page.get_by_role("status").first).to_contain_text("The correction was taken.")
    expect(waiting).to_contain_text("5")
    assert seconds(log.parts) == 600 + 1_200
    page.get_by_role("link", name="ready, March 2025").click()
    expect(page).to_have_url(re.compile(f"/patients/p1/ready/{MONTH}$"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("ready")


def test_what_is_still_wrong_stands_next_to_the_text_with_what_was_put_in(
    page: Page, log: GrowingLog
) -> None:
    from playwright.sync_api import expect

    page.goto(page.url + "/letters/1")
    corrected(page, "T09:40:00-04:00", "soon")
    text = page.get_by_label("The whole message")
    expect(text).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#text-wrong")).to_contain_text("data.ended_at: expected an RFC 3339")
    expect(text).to_have_value(re.compile("soon"))
    expect(page.get_by_label("Why", exact=True)).to_have_value(WHY)
    corrected(page, "soon", "T10:20:00-04:00")
    expect(page.get_by_role("status").first).to_contain_text("The correction was taken.")
    assert seconds(log.parts) == 600 + 1_200


def test_a_double_press_is_one_act(page: Page, log: GrowingLog) -> None:
    from playwright.sync_api import expect

    page.goto(page.url + "/letters/1")
    text = page.get_by_label("The whole message")
    text.fill(text.input_value().replace("T09:40:00", "T10:20:00"))
    page.get_by_label("Why", exact=True).fill(WHY)
    page.get_by_role("button", name="Correct and replay").dblclick()
    expect(page.get_by_role("heading", level=1)).to_contain_text("taken")
    expect(page.locator(".acts li")).to_have_count(1)
    assert seconds(log.parts) == 600 + 1_200


def test_without_a_reason_the_browser_lets_nothing_go(page: Page, log: GrowingLog) -> None:
    page.goto(page.url + "/letters/1")
    page.get_by_role("button", name="Set aside").click()
    assert page.evaluate("document.querySelector('#reason').matches(':invalid')")
    assert letter(log.store, 1).is_open


def test_without_a_script_the_same_can_be_done(
    base: str, browser: Browser, log: GrowingLog
) -> None:
    from playwright.sync_api import expect

    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(base + PAGE)
    page.get_by_label("Kind").select_option("review")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="7", exact=True).click()
    expect(page.locator("mark")).to_have_text("12^ROE^R^^^^^^RIVER")
    corrected(page, "12^ROE", "9^ROE")
    expect(page.get_by_text("The correction was taken.")).to_be_visible()
    assert letter(log.store, 7).value == STRANGE
    page.context.close()


def test_the_bytes_are_kept_as_a_file(page: Page) -> None:
    page.goto(page.url + "/letters/7")
    with page.expect_download() as waited:
        page.get_by_role("link", name="Download the bytes").click()
    assert waited.value.suggested_filename == "letter-7.bin"
    assert Path(waited.value.path()).read_bytes() == STRANGE


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_fault_in_the_queue(
    base: str, browser: Browser, look: str, width: int
) -> None:
    """The list, filtered, letters of every form, and a letter with a refused correction."""
    page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    for path in ("", "?reason=invalid-member", "?state=done", "/letters/1", "/letters/7"):
        page.goto(base + PAGE + path)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    corrected(page, "12^ROE", "13^ROE")
    page.get_by_role("alert").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_axe_finds_no_fault_in_conflicts(tmp_path: Path, browser: Browser) -> None:
    log = conflicting(tmp_path)
    pages = Pages(log.parts, Reads(log.parts), log.parts.ingest())
    with http_server(log.parts, pages.routes()) as base:
        for width, look in ((1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")):
            page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 800})
            page.goto(base + PAGE)
            assert violations(page) == []
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.get_by_role("link", name="ann").first.click()
            page.wait_for_url("**/patients/p1/ann/2025-03")
            page.context.close()
    log.store.close()
