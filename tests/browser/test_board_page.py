"""The board in a browser: the day's story on it, and nobody who looks at it loses their place."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from services.demo.clinic import PRACTICE, SOURCE
from services.demo.panel import NURSES, at
from services.demo.vocabulary import Message, clocked, message, performer
from tests.browser.site import TODAY, Site, site
from tests.chromium import violations

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route


class Work:
    """Nurses at work today: entries one after the other, none of which overlaps."""

    def __init__(self, clinic: Site) -> None:
        self._clinic = clinic
        self._clock = at(TODAY, 12)
        self._said = 0

    def logs(self, patient: str, seconds: int) -> str:
        """Time for a patient; the entry's id."""
        start, self._clock = self._clock, self._clock + timedelta(seconds=seconds)
        entry = f"work-{self._said}"
        who = performer(NURSES[0], "clinical_staff")
        self._say(patient, "time.logged", clocked(entry, who, "symptom_check", start, seconds))
        return entry

    def voids(self, patient: str, entry: str) -> None:
        self._say(patient, "time.voided", {"entry_id": entry, "reason": "wrong-patient"})

    def _say(self, patient: str, type: str, data: Any) -> None:
        self._said += 1
        said: Message = message(
            id=f"work-{self._said}",
            source=SOURCE,
            type=type,
            practice=PRACTICE,
            patient=patient,
            time=self._clock + timedelta(seconds=self._said),
            data=data,
        )
        assert self._clinic.take([said]).accepted == 1


@pytest.fixture
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("board")) as made:
        yield made


@pytest.fixture
def work(clinic: Site) -> Work:
    return Work(clinic)


@pytest.fixture
def page(clinic: Site, browser: Browser) -> Iterator[Page]:
    opened = live(browser, clinic)
    yield opened
    opened.context.close()


def live(browser: Browser, clinic: Site, query: str = "") -> Page:
    """A page that is told of changes, and that notices if it or its table are made anew."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(15_000)
    page.goto(clinic.board + query)
    page.wait_for_selector("#live[data-state=on]")
    page.evaluate("window.table = document.querySelector('table.board')")
    return page


def same_table(page: Page) -> bool:
    found: bool = page.evaluate("window.table === document.querySelector('table.board')")
    return found


def patients(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "tr.row", "rows => rows.map(row => row.dataset.patient)"
    )
    return found


def seconds(clock: str) -> int:
    minutes, rest = clock.split(":")
    return int(minutes) * 60 + int(rest)


def row(patient: str) -> str:
    return f"#r-{patient}"


def first_short(page: Page) -> tuple[str, int]:
    """The first patient without a code, and the seconds missing to it."""
    for patient in patients(page):
        line = page.locator(row(patient))
        togo = line.locator(".togo")
        if line.get_attribute("data-codes") == "" and togo.count():
            return patient, seconds(togo.inner_text())
    raise AssertionError("everybody has a code")


def test_minutes_rise_a_code_is_earned_and_a_correction_takes_it_back(
    page: Page, work: Work
) -> None:
    """Everything on the one table that was drawn at the beginning, in the order of that time."""
    order = patients(page)
    patient, missing = first_short(page)
    line, minutes = page.locator(row(patient)), page.locator(f"{row(patient)} .figures b")
    before = seconds(minutes.inner_text())

    work.logs(patient, missing - 30)
    page.wait_for_selector(f"{row(patient)} .togo:text-is('0:30')")
    assert seconds(minutes.inner_text()) == before + missing - 30
    assert line.locator(".tag.good").count() == 0

    entry = work.logs(patient, 30)
    page.wait_for_selector(f"{row(patient)} .tag.good")
    assert line.locator(".tag.good").first.inner_text().strip() == "99490"
    page.wait_for_selector(f"#status:text-is('{patient} has earned 99490×1.')")

    work.voids(patient, entry)
    page.wait_for_selector(f"{row(patient)} .tag.bad:has-text('lost 99490')")
    assert line.locator(".tag.good").count() == 0
    page.wait_for_selector(f"#status:text-is('{patient} has lost 99490×1.')")
    assert same_table(page)
    assert patients(page) == order


def test_the_totals_move_with_the_rows(page: Page, work: Work) -> None:
    earned = page.locator("#totals dd").nth(2)
    units = int(earned.inner_text())
    patient, missing = first_short(page)
    work.logs(patient, missing)
    page.wait_for_function(
        "units => document.querySelectorAll('#totals dd')[2].innerText == units", arg=units + 1
    )
    assert page.locator("#shows a[aria-current]").inner_text().startswith("All")


def test_nobody_loses_their_place(page: Page, work: Work) -> None:
    """Focus and scrolling stay while the row in hand and the rows around it change."""
    for _ in range(20):
        page.keyboard.press("j")
    held = patients(page)[19]
    focused = "document.activeElement.closest('tr').dataset.patient"
    assert page.evaluate(focused) == held
    scrolled = page.evaluate("scrollY")
    assert scrolled > 0
    for patient in (held, *patients(page)[:3], patients(page)[21]):
        page.evaluate("p => delete document.getElementById(`r-${p}`).dataset.fresh", patient)
        work.logs(patient, 45)
        page.wait_for_selector(f"{row(patient)}[data-fresh]")
    assert page.evaluate(focused) == held
    assert page.evaluate("scrollY") == scrolled
    assert same_table(page)


def test_a_row_that_sorts_elsewhere_says_so_and_moves_when_asked(page: Page, work: Work) -> None:
    order = patients(page)
    last = next(
        patient
        for patient in reversed(order)
        if page.locator(f"{row(patient)} .togo").count()
        and seconds(page.locator(f"{row(patient)} .togo").inner_text()) > 60
    )
    missing = seconds(page.locator(f"{row(last)} .togo").inner_text())
    page.locator(f"{row(last)} [data-row]").focus()
    work.logs(last, missing - 5)
    page.wait_for_selector(f"{row(last)} .moved:text-is('↑ sorts higher')")
    assert patients(page) == order
    assert page.locator("#again").inner_text() == "1 moved · sort again"
    page.keyboard.press("s")
    page.wait_for_function("p => document.querySelector('tr.row').dataset.patient === p", arg=last)
    assert page.evaluate("document.activeElement.closest('tr').dataset.patient") == last
    assert page.locator("#again").is_hidden()


def test_a_row_that_leaves_the_list_stays_in_sight(clinic: Site, browser: Browser) -> None:
    """Nearly there no longer: it has arrived. The list is a filter's, and the row stays until
    somebody sorts again."""
    page, work = live(browser, clinic, "?show=near"), Work(clinic)
    patient, missing = first_short(page)
    work.logs(patient, missing)
    page.wait_for_selector(f"{row(patient)}[data-left] .moved:text-is('left this list')")
    assert violations(page) == []
    page.locator("#again").click()
    page.wait_for_selector(row(patient), state="detached")
    page.context.close()


def test_two_who_look_at_once_see_the_same(
    clinic: Site, browser: Browser, page: Page, work: Work
) -> None:
    other = live(browser, clinic, "?find=pt-00")
    patient = next(p for p in patients(page) if p in patients(other))
    before = page.locator(f"{row(patient)} .figures b").inner_text()
    work.logs(patient, 77)
    wanted = seconds(before) + 77
    for one in (page, other):
        one.wait_for_selector(
            f"{row(patient)} .figures b:text-is('{wanted // 60}:{wanted % 60:02}')"
        )
    other.context.close()


def test_after_the_server_comes_back_the_page_is_told_what_it_missed(
    clinic: Site, page: Page, work: Work
) -> None:
    patient, missing = first_short(page)
    clinic.stop()
    page.wait_for_selector("#live[data-state=lost]")
    assert "trying again" in page.locator("#status").inner_text()
    work.logs(patient, missing)
    clinic.start()
    page.wait_for_selector("#live[data-state=on]")
    page.wait_for_selector(f"{row(patient)} .tag.good")
    assert same_table(page)


def test_a_row_that_could_not_be_had_is_asked_for_again(page: Page, work: Work) -> None:
    """The stream has told of it once and will not again."""
    refused: list[str] = []

    def refuse_first(route: Route) -> None:
        if refused:
            route.continue_()
        else:
            refused.append(route.request.url)
            route.abort()

    page.route("**/rows**", refuse_first)
    patient, missing = first_short(page)
    work.logs(patient, missing)
    page.wait_for_selector(f"{row(patient)} .tag.good")
    assert len(refused) == 1


def test_all_of_it_by_keyboard(page: Page) -> None:
    """j and k move, / finds, Enter opens what is in hand."""
    order = patients(page)
    focused = "document.activeElement.closest('tr')?.dataset.patient"
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate(focused) == order[1]
    page.keyboard.press("k")
    page.keyboard.press("k")
    assert page.evaluate(focused) == order[0]
    page.keyboard.press("/")
    page.keyboard.type(order[3])
    assert page.locator("#find").input_value() == order[3]
    page.keyboard.press("Enter")
    page.wait_for_url("**find=**")
    assert patients(page) == [order[3]]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/patients/{PRACTICE}/{order[3]}/**")


def test_the_skip_link_leads_past_the_head(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
