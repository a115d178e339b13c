"""Entering by hand in a real browser: log, be told, correct, take back; also without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.audit.growing import GrowingLog
from tests.chromium import violations
from tests.pages.entering import FORMS, PAGE, command, head, log

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["command", "log"]


def fill_time(page: Page, start: str, minutes: str) -> None:
    page.get_by_role("link", name="Log time").first.click()
    page.get_by_label("Who worked").fill("rn7")
    page.get_by_label("Role").select_option("clinical staff")
    page.get_by_label("Start").fill(start)
    page.get_by_label("Minutes").fill(minutes)


def test_minutes_rise_a_code_is_earned_and_a_void_takes_it_back(page: Page) -> None:
    fill_time(page, "10:00", "2:30")
    page.get_by_role("button", name="Log it").click()
    expect(page.locator("#entered")).to_contain_text("2:30 more count. 99490 earned.")
    expect(page.locator(".summary .time")).to_contain_text("20:30 counts of 20:30 logged")
    page.get_by_role("link", name="Amend entry t1").click()
    page.get_by_label("Minutes").fill("17:10")
    page.get_by_label("Why").fill("typed wrong")
    page.get_by_role("button", name="Amend it").click()
    expect(page.get_by_role("alert")).to_contain_text("this takes back 99490")
    page.get_by_label("Minutes").fill("17:30")
    page.get_by_role("button", name="Save it as it is").click()
    expect(page.locator("#entered")).to_contain_text("0:30 less counts.")
    page.get_by_role("link", name="Void entry t1").click()
    page.get_by_label("Why").fill("wrong patient")
    page.get_by_role("button", name="Void it").click()
    expect(page.get_by_role("alert")).to_contain_text("this takes back 99490")
    page.get_by_role("button", name="Save it as it is").click()
    expect(page.locator("#entered")).to_contain_text("99490 taken back.")
    expect(page.locator(".history")).to_contain_text("wrong patient")


def test_what_is_wrong_stands_next_to_its_field_and_the_rest_is_kept(page: Page) -> None:
    fill_time(page, "25:00", "2")
    page.get_by_role("button", name="Log it").click()
    expect(page.get_by_label("Start")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#start-wrong")).to_have_text(
        "Expected a time of day such as 09:15 or 14:05:30."
    )
    expect(page.get_by_label("Who worked")).to_have_value("rn7")
    page.get_by_role("alert").get_by_role("link", name="Start").click()
    expect(page.get_by_label("Start")).to_be_focused()
    page.get_by_label("Start").fill("10:00")
    page.get_by_role("button", name="Log it").click()
    expect(page.locator("#entered")).to_contain_text("99490 earned.")


def test_a_double_press_logs_once(page: Page, log: GrowingLog) -> None:
    fill_time(page, "10:00", "2")
    before = head(log)
    page.get_by_role("button", name="Log it").dblclick()
    expect(page.locator("#entered")).to_contain_text("99490 earned.")
    page.reload()
    assert head(log) == before + 1


def test_without_a_script_the_same_can_be_done(base: str, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(base + PAGE)
    page.get_by_text("Enter something else").click()
    page.get_by_role("link", name="Consent withdrawn").click()
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("#entered")).to_contain_text("consent revoked on 2025-03-06")
    page.context.close()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_fault_in_forms_errors_questions_and_what_was_saved(
    base: str, browser: Browser, look: str, width: int
) -> None:
    page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 800})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))

    def is_sound() -> None:
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    for form in ("enrolment", "consent", "void?entry_id=t1"):
        page.goto(f"{base}{FORMS}/{form}")
        is_sound()
    page.goto(f"{base}/enter/p1/2025-03?patient=nobody")
    is_sound()
    page.goto(base + PAGE)
    fill_time(page, "09:10", "x")
    page.get_by_label("Day").fill("2025-03-05")
    page.get_by_role("button", name="Log it").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    is_sound()
    page.get_by_label("Minutes").fill("10")
    page.get_by_role("button", name="Log it").click()
    expect(page.get_by_role("alert")).to_contain_text("8:00 would not count")
    is_sound()
    page.get_by_role("button", name="Save it as it is").click()
    expect(page.locator("#entered")).to_be_visible()
    is_sound()
    page.get_by_text("Enter something else").click()
    is_sound()
    assert [each for each in said if "422" not in each] == []
    page.context.close()
