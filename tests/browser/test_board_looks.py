"""The board without a script, for a checker of accessibility, and in every width and colour."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from services.demo.clinic import PRACTICE
from tests.browser.site import Site, site
from tests.chromium import turned, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("looks")) as made:
        yield made


@pytest.fixture
def plain(clinic: Site, browser: Browser) -> Iterator[Page]:
    """A page in a browser that runs no script."""
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(clinic.board)
    yield page
    page.context.close()


def shown(page: Page) -> list[str]:
    return [link.inner_text() for link in page.locator("[data-row]").all()]


def test_without_a_script_links_show_parts_of_the_board(plain: Page) -> None:
    everybody = plain.locator("#shows a").first.locator(".count").inner_text()
    with turned(plain):
        plain.get_by_role("link", name="Blocked").click()
    blocked = plain.locator("#shows a[aria-current] .count").inner_text()
    assert len(shown(plain)) == int(blocked) < int(everybody)
    assert plain.locator("tr.row").count() == plain.locator("tr.row:has(.tag.warn)").count()


def test_without_a_script_a_form_finds_a_patient(plain: Page) -> None:
    patient = shown(plain)[7]
    plain.get_by_label("Find a patient by id").fill(patient.upper())
    with turned(plain):
        plain.get_by_role("button", name="Find").click()
    assert shown(plain) == [patient]
    with turned(plain):
        plain.get_by_role("link", name="Clear").click()
    assert len(shown(plain)) > 1


def test_without_a_script_pages_follow_each_other(plain: Page) -> None:
    first = shown(plain)
    assert len(first) == 50
    with turned(plain):
        plain.get_by_role("link", name="Next").click()
    assert shown(plain)
    assert not set(shown(plain)) & set(first)
    with turned(plain):
        plain.get_by_role("link", name="Previous").click()
    assert shown(plain) == first


def test_without_a_script_another_month_is_a_step_or_a_choice_away(plain: Page) -> None:
    with turned(plain):
        plain.get_by_role("link", name="October 2025").click()
    assert plain.url.endswith(f"/board/{PRACTICE}/2025-10")
    assert plain.get_by_text("The month is over").is_visible()
    plain.locator("select[name=month]").select_option("2025-09")
    with turned(plain):
        plain.get_by_role("button", name="Go").click()
    assert plain.url.endswith(f"/board/{PRACTICE}/2025-09")


def test_without_a_script_a_row_leads_to_its_patient(plain: Page) -> None:
    patient = shown(plain)[0]
    with turned(plain):
        plain.get_by_role("link", name=patient, exact=True).click()
    assert f"/patients/{PRACTICE}/{patient}/" in plain.url


@pytest.mark.parametrize("width", [1280, 390])
def test_a_bar_of_minutes_fills_its_place(clinic: Site, browser: Browser, width: int) -> None:
    """Its ticks stand under the numbers of the head only if nothing takes room beside it."""
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.goto(clinic.board)
    for lane, height in (("staff", 14), ("own", 9)):
        track = page.locator(f".bars:has(svg.own) svg.{lane} .track").first.bounding_box()
        place = page.locator(".bars:has(svg.own)").first.bounding_box()
        assert track
        assert place
        assert (track["width"], track["height"]) == pytest.approx((place["width"], height), abs=1)
    page.context.close()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("query", ["", "?show=blocked", "?show=lost", "?find=nobody-here"])
def test_no_fault_that_axe_finds_and_nothing_wider_than_the_window(
    clinic: Site, browser: Browser, look: str, width: int, query: str
) -> None:
    page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(clinic.board + query)
    page.wait_for_selector("#live[data-state=on]")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert said == []
    page.context.close()


def test_a_month_that_is_over_is_without_fault_too(clinic: Site, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(clinic.board.replace("2025-11", "2025-09"))
    page.wait_for_selector("#live[data-state=on]")
    assert violations(page) == []
    page.context.close()
