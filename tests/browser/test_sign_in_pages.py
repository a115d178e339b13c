"""Signing in and out in a real browser: with and without scripts, and nothing refused by the
policy that the pages come with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.accounts import Account, Bounds
from infra.eventstore.accounts import open_accounts
from tests.access.house import HASH, PASSWORD
from tests.browser.site import Site, site
from tests.chromium import turned, violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("clinic"), 60) as found:
        accounts = open_accounts(found.parts.store)
        for name, role in (("ann", "coordinator"), ("feed", "integrator")):
            accounts.add_account(Account(name, HASH, Bounds((role,)), 0))
        yield found


def sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    with turned(page):
        page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_person_signs_in_lands_where_they_wanted_and_signs_out(
    clinic: Site, browser: Browser, scripts: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(clinic.board)
    assert "/auth/sign-in" in page.url
    sign_in(page, "ann", "not my password")
    assert page.get_by_role("alert").inner_text().startswith("This name and password")
    sign_in(page, "ann", PASSWORD)
    assert page.url == clinic.board
    with turned(page):
        page.get_by_role("link", name="ann").click()
    assert page.get_by_text("coordinator").is_visible()
    with turned(page):
        page.get_by_role("button", name="Sign out", exact=True).click()
    assert page.get_by_role("heading", name="Signed out").is_visible()
    page.goto(clinic.board)
    assert "/auth/sign-in" in page.url
    # A refused password answers 403, which a browser says; nothing else may be said.
    assert [line for line in said if "403" not in line] == []
    context.close()


def test_who_may_not_hears_it_on_a_page(clinic: Site, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(clinic.board)
    sign_in(page, "feed", PASSWORD)
    assert page.get_by_role("heading", name="Not allowed").is_visible()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_of_signing_in_are_accessible(
    clinic: Site, browser: Browser, scheme: str, width: int
) -> None:
    context = browser.new_context(
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()
    page.goto(clinic.board)
    assert violations(page) == []
    sign_in(page, "ann", "not my password")
    assert violations(page) == []
    sign_in(page, "ann", PASSWORD)
    page.goto(f"{clinic.address}/auth/me")
    assert violations(page) == []
    context.close()


def test_an_open_board_is_gone_soon_after_its_account_is_disabled(
    clinic: Site, browser: Browser
) -> None:
    """The stream ends, and the page that was left open leads to signing in."""
    accounts = open_accounts(clinic.parts.store)
    accounts.add_account(Account("leaver", HASH, Bounds(("coordinator",)), 0))
    page = browser.new_page()
    page.goto(clinic.board)
    sign_in(page, "leaver", PASSWORD)
    page.get_by_text("Live", exact=True).wait_for(timeout=30_000)
    accounts.set_disabled("leaver", True)
    page.wait_for_url("**/auth/sign-in**", timeout=60_000)
    page.close()


def test_another_sites_form_does_not_get_through(
    clinic: Site, browser: Browser, tmp_path: Path
) -> None:
    """A real cross-site post by a real browser, with the cookie that it would send."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(clinic.board)
    sign_in(page, "ann", PASSWORD)
    evil = tmp_path / "evil.html"
    evil.write_text(
        f'<form method="post" action="{clinic.address}/auth/sign-out"><button>Win</button></form>'
    )
    page.goto(evil.as_uri())
    with turned(page):
        page.get_by_role("button", name="Win").click()
    assert "Not from our pages" in page.content()
    page.goto(clinic.board)
    assert page.url == clinic.board
    context.close()
