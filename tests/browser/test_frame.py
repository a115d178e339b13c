"""What every page has around it: the way about, the colours, the headers, the refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest

from services.audit.access import accesses
from tests.browser.site import MONTH, Site, site
from tests.chromium import turned, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("frame"), patients=60) as made:
        yield made


def test_the_address_alone_leads_to_the_running_month_of_the_process_clock(clinic: Site) -> None:
    answer = httpx.get(clinic.address, follow_redirects=True)
    assert answer.status_code == 200
    assert str(answer.url) == clinic.board


def test_a_page_takes_nothing_from_elsewhere_and_nothing_inline(clinic: Site) -> None:
    answer = httpx.get(clinic.board)
    assert answer.headers["content-security-policy"].startswith("default-src 'self';")
    assert answer.headers["cache-control"] == "no-store"
    assert " style=" not in answer.text
    assert "<style" not in answer.text
    assert "<script>" not in answer.text


def test_no_script_of_the_page_is_refused_by_its_own_rules(clinic: Site, browser: Browser) -> None:
    said: list[str] = []
    page = browser.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(clinic.board)
    page.wait_for_function("document.documentElement.dataset.script === 'on'")
    assert said == []
    page.close()


def test_files_are_kept_for_ever_and_never_leave_their_folder(clinic: Site) -> None:
    page = httpx.get(clinic.board).text
    css = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in httpx.get(clinic.address + css).headers["cache-control"]
    for wrong in (
        "/static/x/..%2f..%2fplace.py",
        "/static/x/vendor/LICENSES.md",
        "/static/x/no.js",
    ):
        assert httpx.get(f"{clinic.address}/static/x/{wrong}").status_code == 404


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/board/nobody/2025-11", 404, "No such practice"),
        ("/board/clinic-demo/2025-13", 404, "No such month"),
    ],
)
def test_what_is_not_there_is_said_in_a_page(
    clinic: Site, path: str, status: int, words: str
) -> None:
    answer = httpx.get(clinic.address + path)
    assert answer.status_code == status
    assert words in answer.text


def test_every_page_read_is_written_down_before_it_is_shown(clinic: Site) -> None:
    httpx.get(clinic.board, params={"show": "blocked"})
    wanted = {"practice": "clinic-demo", "month": MONTH, "show": "blocked"}
    assert list(accesses(clinic.parts.store))[-1].wanted == wanted


def test_colours_change_in_place_and_are_kept(clinic: Site, browser: Browser) -> None:
    page = browser.new_page(color_scheme="light")
    page.goto(clinic.board)
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.get_by_role("link", name="Dark").click()
    assert page.evaluate(ground) != light
    page.reload()
    assert page.evaluate(ground) != light
    page.context.close()


def test_without_a_script_a_link_changes_the_colours(clinic: Site, browser: Browser) -> None:
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(clinic.board)
    with turned(page):
        page.get_by_role("link", name="Dark").click()
    assert page.url == clinic.board
    assert page.locator("html").get_attribute("data-look") == "dark"
    page.context.close()


def test_a_choice_of_colours_never_leads_away(clinic: Site) -> None:
    for back in ("https://example.org/", "//example.org", "/\\example.org"):
        answer = httpx.get(f"{clinic.address}/look/dark", params={"back": back})
        assert answer.headers["location"] == "/"


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_refusal_has_no_fault_that_axe_finds(
    clinic: Site, browser: Browser, look: str, width: int
) -> None:
    page = browser.new_page(color_scheme=look, viewport={"width": width, "height": 800})
    page.goto(f"{clinic.address}/board/nobody/2025-11")
    assert violations(page) == []
    page.close()
