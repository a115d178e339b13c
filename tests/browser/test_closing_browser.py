"""The close in a real browser: select, see the sum, download, claim, be told what changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.eventstore import open_store
from tests.audit.growing import GrowingLog
from tests.chromium import turned, violations
from tests.given import staff
from tests.pages.closing import closing, of, row_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAGE = "/close/p1/2025-03"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[GrowingLog]:
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    yield closing(store)
    store.close()


def test_select_all_sums_downloads_and_claims_in_one_act(page: Page, log: GrowingLog) -> None:
    form = page.locator("#ready form")
    assert form.locator("[data-selected]").inner_text() == "Nothing selected"
    form.get_by_label("Select all of this table").check()
    assert form.locator("[data-selected]").inner_text() == "2 selected, $166.91"
    with page.expect_download() as waited:
        form.get_by_role("button", name="Download as CSV").click()
    assert waited.value.suggested_filename == "claims-p1-2025-03.csv"
    assert Path(waited.value.path()).read_text().count("99490") == 2
    form.get_by_role("button", name="Mark as claimed").click()
    page.get_by_text("2 months marked as claimed.").wait_for()
    assert [row_of(log, p).status for p in ("ready", "other")] == ["claimed", "claimed"]


def test_a_month_that_changed_meanwhile_is_named_and_the_rest_stays_selected(
    page: Page, log: GrowingLog
) -> None:
    page.locator("#ready form").get_by_label("Select all of this table").check()
    log.take(of("other", [staff("t8", "2025-03-20", 60)]), log.now_us)
    page.get_by_role("button", name="Mark as claimed").click()
    page.get_by_role("alert").get_by_text("changed since the page was shown").wait_for()
    assert row_of(log, "ready").status == "billable"
    assert page.locator("#ready form [data-selected]").inner_text() == "1 selected, $106.42"
    page.get_by_role("button", name="Mark as claimed").click()
    page.get_by_text("1 month marked as claimed.").wait_for()


def test_without_a_reason_the_browser_lets_nothing_go(page: Page, log: GrowingLog) -> None:
    page.locator("#fallen").get_by_label("fallen").check()
    page.locator("#fallen").get_by_role("button", name="Reopen").click()
    assert page.url.endswith(PAGE)
    page.locator("#fallen").get_by_label("Why").fill("voided entry")
    page.locator("#fallen").get_by_role("button", name="Reopen").click()
    page.get_by_text("1 month reopened.").wait_for()
    assert row_of(log, "fallen").status == "billable"


def test_without_a_script_the_same_can_be_done(
    base: str, browser: Browser, log: GrowingLog
) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(base + PAGE)
    with turned(page):
        page.get_by_role("link", name="Select all shown").click()
    with turned(page):
        page.get_by_role("button", name="Mark as claimed").click()
    assert page.get_by_text("2 months marked as claimed.").is_visible()
    assert row_of(log, "ready").status == "claimed"
    page.context.close()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_fault_in_the_close(
    base: str, browser: Browser, look: str, width: int
) -> None:
    page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(base + PAGE)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    page.locator("#ready form").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Mark as claimed").click()
    page.get_by_role("alert").wait_for()
    assert violations(page) == []
    page.context.close()
