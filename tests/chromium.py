"""A real Chromium for the tests that look at pages: the one that is named, else the machine's."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NoReturn

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
"""Pages of this machine and nothing else: no sandbox, which root has none of, no calls home."""


def unavailable(reason: str) -> NoReturn:
    """Skip with one clear line, or fail where services are required."""
    if os.environ.get("CARETALLY_REQUIRE_SERVICES") == "1":
        pytest.fail(f"a Chromium is required and cannot be had: {reason}")
    pytest.skip(f"no Chromium (set CARETALLY_TEST_CHROMIUM): {reason}")


def found() -> str | None:
    """The program's path; None where there is none."""
    named = os.environ.get("CARETALLY_TEST_CHROMIUM")
    return named or next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a file of tests; each test opens contexts of its own. It holds an event
    loop in this thread, so it must be gone before tests with loops of their own."""
    from playwright.sync_api import sync_playwright

    program = found()
    if program is None:
        unavailable("neither chromium nor google-chrome is on the path")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield launched
        launched.close()


@contextmanager
def turned(page: Page) -> Iterator[None]:
    """What is done within leads to a page that has arrived whole at the end. A click alone only
    sends for it, and whoever looks at once may still see the old one, or half of the new."""
    with page.expect_navigation():
        yield


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with the page as it is now, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    # A page takes no script but its own; the check's is run by the browser itself.
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]
