"""`make picture`: the board as the README shows it, after the first hour of the demo's day."""

from __future__ import annotations

import sys
import tempfile
from itertools import islice
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from tests.browser.site import Site, site
from tests.chromium import FLAGS, found

PATIENTS = 240
MESSAGES = 24
"""Of today: as far as the correction that takes a code back, and a little on."""
SIZES = {"": (1280, 860), "-390": (390, 844)}
LOOKS = ("light", "dark")


def pictures(clinic: Site, browser: Browser, folder: Path) -> None:
    """One a look and width, each a little later in the day."""
    told = clinic.clinic.live()
    clinic.take(one.event for one in islice(told, MESSAGES))
    for name, (width, height) in SIZES.items():
        for look in LOOKS:
            page = browser.new_page(
                color_scheme="dark" if look == "dark" else "light",
                viewport={"width": width, "height": height},
                device_scale_factor=1.5 if width > 1000 else 2,
            )
            page.goto(clinic.board)
            page.wait_for_selector("#live[data-state=on]")
            clinic.take([next(told).event])
            page.wait_for_timeout(2_500)
            page.evaluate("document.fonts.ready")
            page.screenshot(path=folder / f"board-{look}{name}.png")
            page.close()


def main(folder: Path) -> None:
    program = found()
    if program is None:
        sys.exit("no Chromium: install one, or name it in CARETALLY_TEST_CHROMIUM")
    with (
        tempfile.TemporaryDirectory() as store,
        site(Path(store), PATIENTS) as clinic,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        pictures(clinic, browser, folder)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
