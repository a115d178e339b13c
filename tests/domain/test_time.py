"""Months and days in the patient's zone: true elapsed time, local midnight, enrolments in force."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from domain import facts as f
from domain.assess import assess
from domain.policy import Policy
from domain.rules import BOOK
from domain.time.calendar import (
    a_year_before,
    following,
    last_day,
    local_date,
    midnight,
    months_possible,
)
from domain.time.timeline import MonthDays, Timeline
from tests.given import (
    NEW_YORK,
    clocked,
    day,
    enrolled,
    event,
    five_pm,
    folded,
    instant,
    ready,
    staff,
    then,
)


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


def test_an_instant_has_the_date_of_the_zone() -> None:
    at = instant("2025-02-01T04:30:00Z")
    assert local_date(at, NEW_YORK) == date(2025, 1, 31)
    assert local_date(at, "Pacific/Guam") == date(2025, 2, 1)


def test_small_calendar_facts() -> None:
    assert last_day("2024-02") == date(2024, 2, 29)
    assert following("2024-12") == "2025-01"
    assert a_year_before(date(2024, 2, 29)) == date(2023, 2, 28)
    assert months_possible(instant("2025-03-15T12:00:00Z"), instant("2025-03-15T12:20:00Z")) == (
        "2025-03",
    )


def test_each_practice_tells_the_month_by_its_own_default_zone() -> None:
    """The same patient, asked under two policies one after the other."""
    log = clocked("t1", "2025-02-01T04:30:00Z", "2025-02-01T04:40:00Z")
    patient = folded([log])
    logged = {
        zone: assess(patient, "2025-01", BOOK, Policy(default_timezone=zone)).seconds.logged
        for zone in ("UTC", NEW_YORK)
    }
    assert logged == {"UTC": 0, NEW_YORK: 600}


def test_without_any_enrolment_the_default_zone_tells_the_month() -> None:
    log = clocked("t1", "2025-02-01T04:30:00Z", "2025-02-01T04:40:00Z")
    answer = then([log], "2025-02")
    assert answer.timezone == "UTC"
    assert answer.seconds.logged == 600
    assert folded([log]).version == 1


def chart_with(*facts: tuple[str, str, str | None]) -> Timeline:
    """(first day, zone, last day or None) of each enrolment."""
    events = [enrolled(first, timezone=timezone) for first, timezone, _ in facts]
    for _, _, last in facts:
        if last is not None:
            events.append(event(f.PatientDisenrolled(day(last), "x"), five_pm(last)))
    return Timeline(folded(events).chart.spans, "UTC")


class TestEnrolmentsInForce:
    def test_each_of_three_is_in_force_until_the_day_before_the_next(self) -> None:
        zones = ("America/New_York", "America/Chicago", "America/Denver")
        firsts = ("2025-03-05", "2025-03-10", "2025-03-20")
        timeline = chart_with(*((on, zone, None) for on, zone in zip(firsts, zones, strict=True)))
        days = timeline.days("2025-03")
        assert [timeline.timezone_on(day(f"2025-03-{n:02d}")) for n in (4, 5, 9, 10, 19, 20)] == [
            "UTC",
            *(zones[0],) * 2,
            *(zones[1],) * 2,
            zones[2],
        ]
        assert _in_force(days) == {
            None: (day("2025-03-01"), day("2025-03-05")),
            firsts[0]: (day("2025-03-05"), day("2025-03-10")),
            firsts[1]: (day("2025-03-10"), day("2025-03-20")),
            firsts[2]: (day("2025-03-20"), day("2025-03-31")),
        }

    def test_the_stretches_of_a_month_follow_each_other_and_none_is_empty(self) -> None:
        timeline = chart_with(
            ("2025-03-05", NEW_YORK, "2025-03-08"),
            ("2025-03-09", NEW_YORK, "2025-03-15"),
            ("2025-03-20", "Pacific/Guam", None),
        )
        days = timeline.days("2025-03").days
        assert all(stretch.start < stretch.end for stretch in days)
        assert all(a.end <= b.start for a, b in pairwise(days))
        assert len({stretch.day for stretch in days}) == 31
        assert timeline.span_on(day("2025-03-08")) is not None
        assert timeline.span_on(day("2025-03-16")) is None

    def test_an_enrolment_ends_the_day_before_the_next_or_on_its_last_day(self) -> None:
        timeline = chart_with(
            ("2025-03-05", NEW_YORK, None),
            ("2025-03-10", NEW_YORK, "2025-03-10"),
            ("2025-03-20", NEW_YORK, None),
        )
        assert [span.last for span in timeline.spans] == [
            day("2025-03-09"),
            day("2025-03-10"),
            None,
        ]
        assert timeline.span_on(day("2025-03-10")) is timeline.spans[1]
        assert timeline.span_on(day("2025-03-11")) is None

    def test_the_first_and_the_last_day_belong_to_the_enrolment(self) -> None:
        timeline = chart_with(("2025-03-31", NEW_YORK, "2025-05-01"))
        spans = {month: timeline.span_of_month(month) for month in ("2025-02", "2025-06")}
        assert spans == {"2025-02": None, "2025-06": None}
        for month in ("2025-03", "2025-04", "2025-05"):
            assert timeline.span_of_month(month) is timeline.spans[0]
        for inside in ("2025-03-31", "2025-05-01"):
            assert timeline.timezone_on(day(inside)) == NEW_YORK
        for outside in ("2025-03-30", "2025-05-02"):
            assert timeline.timezone_on(day(outside)) == "UTC"

    def test_a_later_enrolment_that_begins_at_an_earlier_instant_holds_from_then_on(self) -> None:
        """11 March on Kiritimati begins an hour before 10 March in Pago Pago does."""
        log = clocked("t1", "2025-03-10T10:00:00Z", "2025-03-10T11:00:00Z")
        events = [
            *ready("2025-03")[1:],
            enrolled("2025-03-10", timezone="Pacific/Pago_Pago"),
            enrolled("2025-03-11", timezone="Pacific/Kiritimati"),
            log,
        ]
        answer = then(events, "2025-03")
        assert (answer.seconds.logged, answer.seconds.pooled, answer.excluded) == (3600, 3600, ())


def _in_force(month: MonthDays) -> dict[str | None, tuple[date, date]]:
    """First and last local date by the enrolment in force; its last may be begun only."""
    found: dict[str | None, tuple[date, date]] = {}
    for stretch, span in zip(month.days, month.spans, strict=True):
        key = span.first.isoformat() if span else None
        first, _ = found.get(key, (stretch.day, stretch.day))
        found[key] = (first, stretch.day)
    return found


@pytest.mark.parametrize(("seconds_late", "warned"), [(0, False), (1, True)])
def test_unclocked_work_ends_with_its_day_in_the_zone_of_that_day(
    seconds_late: int, warned: bool
) -> None:
    """Seven days after midnight in New York, which is four hours after midnight UTC."""
    said_at = instant("2025-03-20T04:00:00Z") + seconds_late
    log = event(staff("t1", "2025-03-12", 60).fact, said_at)
    assert ("contemporaneity" in then([*ready("2025-03"), log], "2025-03").warnings) == warned
