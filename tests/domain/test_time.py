"""Months and days in the patient's zone: true elapsed time, local midnight, enrolments in force."""

from __future__ import annotations

from datetime import date

import pytest

from domain import facts as f
from domain.time.calendar import a_year_before, following, last_day, midnight, months_possible
from tests.given import clocked, enrolled, event, five_pm, folded, instant, ready, then


def in_zone(timezone: str, month: str) -> list[object]:
    return [enrolled(f"{month}-01", timezone=timezone), *ready(month)[1:]]


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        ("2025-03-09T01:30:00-05:00", "2025-03-09T03:30:00-04:00", 3_600),
        ("2025-11-02T01:30:00-04:00", "2025-11-02T01:30:00-05:00", 3_600),
        ("2025-11-02T00:30:00-04:00", "2025-11-02T02:30:00-05:00", 3 * 3_600),
    ],
)
def test_time_across_a_clock_change_is_what_truly_elapsed(
    start: str, end: str, seconds: int
) -> None:
    month = start[:7]
    assert then([*ready(month), clocked("t1", start, end)], month).seconds.pooled == seconds


def test_an_entry_across_local_midnight_at_month_end_is_split_there() -> None:
    log = clocked("t1", "2025-01-31T23:50:00-05:00", "2025-02-01T00:10:30-05:00")
    events = [*ready("2025-01"), log]
    assert then(events, "2025-01").seconds.pooled == 600
    assert then(events, "2025-02").seconds.pooled == 630


@pytest.mark.parametrize(
    ("timezone", "month"),
    [
        ("America/New_York", "2025-01"),
        ("Pacific/Honolulu", "2025-01"),
        ("Pacific/Guam", "2025-02"),
        ("UTC", "2025-02"),
    ],
)
def test_the_month_is_the_one_on_the_patients_calendar(timezone: str, month: str) -> None:
    """04:30Z on 1 February is still January in New York and Honolulu, February in Guam."""
    log = clocked("t1", "2025-02-01T04:30:00Z", "2025-02-01T04:40:00Z")
    events = [*ready("2025-01")[1:], enrolled("2024-11-01", timezone=timezone), log]
    other = "2025-02" if month == "2025-01" else "2025-01"
    assert then(events, month).seconds.logged == 600
    assert then(events, other).seconds.logged == 0


def test_every_month_has_as_many_seconds_as_its_local_days() -> None:
    """Exhaustive over 2015 to 2030: a day-long entry on each edge is never lost or doubled."""
    month = "2015-01"
    while month < "2031-01":
        after = following(month)
        edge = midnight(date(int(after[:4]), int(after[5:]), 1), "America/New_York")
        work = f.Clocked(edge - 3_600, edge + 1_800)
        logged = f.TimeLogged("t1", f.Performer("rn", f.Role.CLINICAL_STAFF), "x", work)
        events = [*ready(month), event(logged, edge + 1_800)]
        assert then(events, month).seconds.logged == 3_600
        assert then(events, after).seconds.logged == 1_800
        month = after


def test_a_move_to_another_zone_neither_loses_nor_doubles_the_hours_between() -> None:
    moved = event(
        f.PatientEnrolled(
            date(2025, 3, 15), "America/Los_Angeles", f.Practitioner("1000000004", "MD")
        ),
        five_pm("2025-03-15"),
    )
    log = clocked("t1", "2025-03-14T22:00:00-04:00", "2025-03-15T06:00:00-04:00")
    answer = then([*ready("2025-03"), moved, log], "2025-03")
    assert (answer.seconds.logged, answer.seconds.pooled) == (8 * 3_600, 8 * 3_600)
    assert answer.timezone == "America/Los_Angeles"


def test_midnight_that_the_clocks_skip_is_the_first_instant_of_the_day() -> None:
    """In São Paulo on 2018-11-04 clocks went from 00:00 to 01:00."""
    assert midnight(date(2018, 11, 4), "America/Sao_Paulo") == instant("2018-11-04T03:00:00Z")


def test_a_disenrolment_ends_with_its_local_day() -> None:
    gone = event(f.PatientDisenrolled(date(2025, 3, 10), "moved away"), "2025-03-10T17:00:00Z")
    log = clocked("t1", "2025-03-10T23:30:00-04:00", "2025-03-11T00:10:00-04:00")
    answer = then([*ready("2025-03"), gone, log], "2025-03")
    assert answer.seconds.pooled == 1_800
    assert [(e.reason, e.seconds) for e in answer.excluded] == [("not-enrolled", 600)]


def test_small_calendar_facts() -> None:
    assert last_day("2024-02") == date(2024, 2, 29)
    assert following("2024-12") == "2025-01"
    assert a_year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert months_possible(instant("2025-03-15T12:00:00Z"), instant("2025-03-15T12:20:00Z")) == (
        "2025-03",
    )


def test_without_any_enrolment_the_default_zone_tells_the_month() -> None:
    log = clocked("t1", "2025-02-01T04:30:00Z", "2025-02-01T04:40:00Z")
    answer = then([log], "2025-02")
    assert answer.timezone == "UTC"
    assert answer.seconds.logged == 600
    assert folded([log]).version == 1
