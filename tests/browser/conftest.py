"""What tests of pages share: a browser, a store in a file, and a server on a day of its own."""

from __future__ import annotations

from tests.chromium import browser

__all__ = ["browser"]
