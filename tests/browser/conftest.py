"""What tests of pages share: a browser, and pages over a log of the test's own.

A file of tests names the page it is about as `PAGE`, and makes the `log`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from services.demo.server import http_server
from services.pages.routes import Pages
from services.serve.reads import Reads
from tests.audit.growing import GrowingLog
from tests.chromium import browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]


@pytest.fixture
def base(log: GrowingLog) -> Iterator[str]:
    """The address of a real server over the log."""
    pages = Pages(log.parts, Reads(log.parts), log.parts.ingest())
    with http_server(log.parts, pages.routes()) as address:
        yield address


@pytest.fixture
def page(base: str, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The file's own page, open."""
    opened = browser.new_page()
    opened.goto(base + request.module.PAGE)
    yield opened
    opened.context.close()
