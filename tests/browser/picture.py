"""`make picture`: the board as the README shows it, some minutes into the demo's day."""

from __future__ import annotations

import sys
import tempfile
from itertools import islice
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.site import Site, site
from tests.chromium import FLAGS, found

PATIENTS = 240
MESSAGES = 28
"""Of today: beyond the correction that takes a code back."""
IN_SIGHT = 9
"""One of so many first rows has just changed when the picture is taken."""
SIZES = {"": (1280, 860), "-390": (390, 844)}
LOOKS = ("light", "dark")


def lived(clinic: Site, page: Page) -> None:
    """The page was open while the day went on; a row in sight has changed this moment."""
    page.goto(clinic.board)
    page.wait_for_selector("#live[data-state=on]")
    told = clinic.clinic.live()
    clinic.take(one.event for one in islice(told, MESSAGES))
    page.wait_for_selector("#again:visible")
    page.wait_for_timeout(2_500)
    seen = page.eval_on_selector_all("tr.row", "rows => rows.map(row => row.dataset.patient)")
    for one in told:
        clinic.take([one.event])
        if one.event["subject"] in seen[:IN_SIGHT]:
            break
    page.wait_for_selector(f"#r-{one.event['subject']}[data-fresh]")
    page.wait_for_timeout(600)
    page.evaluate("scrollTo(0, 0)")


def picture(browser: Browser, name: str, look: str, file: Path) -> None:
    width, height = SIZES[name]
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    with folder as store, site(Path(store), PATIENTS) as clinic:
        page = browser.new_page(
            color_scheme="dark" if look == "dark" else "light",
            viewport={"width": width, "height": height},
            device_scale_factor=1.5 if width > 1000 else 2,
        )
        lived(clinic, page)
        page.screenshot(path=file)
        page.close()


def main(folder: Path) -> None:
    program = found()
    if program is None:
        sys.exit("no Chromium: install one, or name it in CARETALLY_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        for name in SIZES:
            for look in LOOKS:
                picture(browser, name, look, folder / f"board-{look}{name}.png")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
