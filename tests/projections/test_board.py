"""The order of a board: what the next minutes are worth, then what a person can mend."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assess.assessment import Family
from domain.assess.prospects import Rung
from projections.board import Row, Show, best_step, path_of, rank, shows, totals, worth_of
from projections.forecast import Outlook

FIRST, FURTHER = Decimal("60.49"), Decimal("45.93")

PLAIN = Row(
    patient_id="pt1",
    month="2025-11",
    status="accruing",
    logged=960,
    staff=960,
    own=0,
    pooled=960,
    excluded=0,
    marks=(),
    codes=(),
    amount=None,
    held=Decimal(0),
    ladders=(),
    blockers=(),
    warnings=(),
    lost=(),
    last_day=date(2025, 11, 30),
    outlook=Outlook(),
)


def rung(
    seconds: int, gain: Decimal | None = FIRST, family: Family = Family.NON_COMPLEX, unit: int = 1
) -> Rung:
    return Rung(family, "99490", unit, seconds, gain)


def open_row(patient: str, seconds: int, gain: Decimal | None = FIRST) -> Row:
    return replace(PLAIN, patient_id=patient, ladders=((rung(seconds, gain),),))


def ordered(*rows: Row) -> list[str]:
    return [row.patient_id for row in sorted(rows, key=rank)]


def test_worth_is_dollars_over_the_minutes_that_are_missing() -> None:
    assert worth_of(rung(240)) == FIRST / 4
    assert worth_of(rung(30)) == FIRST * 2
    for nothing in (None, rung(240, None), rung(240, Decimal(0)), rung(240, Decimal("-4.10"))):
        assert worth_of(nothing) == 0


def test_the_row_worth_most_a_minute_comes_first() -> None:
    """Four minutes to the first code, two to a further unit, twenty to a first code."""
    rows = open_row("four", 240), open_row("two", 120, FURTHER), open_row("twenty", 1200)
    assert ordered(*rows) == ["two", "four", "twenty"]


def test_after_the_minutes_come_unknown_dollars_then_blocked_rows_then_what_is_done() -> None:
    open_, unpriced = open_row("open", 1200), open_row("unpriced", 60, None)
    blocked = replace(PLAIN, patient_id="blocked", blockers=("consent-missing",), held=FIRST)
    less = replace(blocked, patient_id="blocked-for-less", held=FURTHER)
    diverged = replace(PLAIN, patient_id="diverged", status="diverged")
    done = replace(PLAIN, patient_id="done", codes=(("99490", 1),), amount=FIRST)
    nothing = replace(PLAIN, patient_id="nothing")
    rows = nothing, done, diverged, less, blocked, unpriced, open_
    assert ordered(*rows) == [
        "open",
        "unpriced",
        "blocked",
        "blocked-for-less",
        "diverged",
        "done",
        "nothing",
    ]


@given(st.lists(st.tuples(st.integers(1, 5400), st.integers(1, 20_000)), min_size=2, unique=True))
def test_the_order_is_that_of_worth_whatever_the_rows(cases: list[tuple[int, int]]) -> None:
    rows = [
        open_row(f"p{number:03}", seconds, Decimal(cents) / 100)
        for number, (seconds, cents) in enumerate(cases)
    ]
    found = sorted(rows, key=rank)
    assert [row.worth for row in found] == sorted((row.worth for row in rows), reverse=True)


def test_of_two_families_the_minutes_go_where_they_are_worth_more() -> None:
    staff, own = rung(600), rung(300, Decimal(20), Family.PRACTITIONER)
    assert best_step([(staff,), (own,)]) == staff
    assert best_step([(staff,), (own._replace(gain=FIRST),)]) == own._replace(gain=FIRST)


def test_where_nothing_is_gained_the_nearest_step_is_told() -> None:
    far, near = rung(600, Decimal(-1)), rung(300, None, Family.PRACTITIONER)
    assert best_step([(far,), (near,)]) == near
    assert best_step([]) is None


def test_a_path_ends_before_the_rung_that_brings_nothing() -> None:
    ladder = (rung(300), rung(1500, FURTHER), rung(2700, Decimal(0)), rung(3900))
    assert path_of([ladder]) == ladder[:2]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (open_row("p", 300), {Show.NEAR}),
        (open_row("p", 301), set()),
        (open_row("p", 300, None), set()),
        (replace(PLAIN, lost=(("99490", 1),)), {Show.LOST}),
        (replace(PLAIN, status="diverged"), {Show.LOST}),
        (replace(PLAIN, blockers=("care-plan-missing",)), {Show.BLOCKED}),
        (replace(PLAIN, codes=(("99490", 1),), amount=FIRST), {Show.EARNED}),
        (replace(PLAIN, logged=0, staff=0, pooled=0), {Show.IDLE}),
    ],
)
def test_what_is_shown_where(row: Row, expected: set[Show]) -> None:
    assert {show for show in Show if shows(show, row, 300)} == {Show.ALL, *expected}


def test_totals_are_sums_and_what_has_no_fee_is_counted_apart() -> None:
    rows = [
        replace(PLAIN, codes=(("99490", 1), ("99439", 2)), amount=Decimal("152.35")),
        replace(PLAIN, codes=(("99490", 1),), amount=None),
        replace(PLAIN, blockers=("consent-missing",), held=FIRST),
        replace(PLAIN, logged=0),
    ]
    found = totals(rows, None, 300)
    assert (found.patients, found.begun, found.units) == (4, 3, 4)
    assert found.codes == {"99490": 2, "99439": 2}
    assert (found.dollars, found.unpriced, found.held) == (Decimal("152.35"), 1, FIRST)
    assert found.shown[Show.EARNED] == 2
    assert found.forecast is None
