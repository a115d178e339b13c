"""A board in words, figures and bars: what a template writes down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from domain.assess.assessment import Family
from domain.assess.prospects import Rung
from domain.time.calendar import last_day
from projections.board import Row, Show, Totals, rank, shows
from projections.forecast import Span
from services.pages.board.rows import BAR_SECONDS

SHOW_WORDS: Final = {
    Show.ALL: "All",
    Show.NEAR: "Nearly there",
    Show.LOST: "Lost a code",
    Show.BLOCKED: "Blocked",
    Show.EARNED: "Earned",
    Show.IDLE: "Not begun",
}
BLOCKER_WORDS: Final = {
    "not-enrolled": "Not enrolled",
    "consent-missing": "No consent",
    "consent-revoked": "Consent revoked",
    "conditions-fewer-than-two": "Fewer than 2 conditions",
    "care-plan-missing": "No care plan",
    "initiating-visit-missing": "No initiating visit",
    "provider-not-eligible": "Practitioner may not bill",
    "competing-service": "Competing service",
    "billed-elsewhere": "Billed elsewhere",
}
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]+")


class Tick(NamedTuple):
    """A threshold on a bar; `at` in hundredths of its length."""

    at: str
    reached: bool
    next: bool
    words: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of minutes: filled, then what is missing to the next threshold, then nothing."""

    filled: str
    beside: str
    """Where the part ends that another's time fills; equal to `filled` without any."""
    goal: str
    """Where the missing part ends; equal to `beside` without one."""
    over: bool
    """Whether the minutes go on beyond the bar."""
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it is written down. `order` sorts as text as the board sorts."""

    row: Row
    anchor: str
    order: str
    staff: Bar
    own: Bar | None
    step: Rung | None
    near: bool
    """Whether the step brings dollars within the practice's margin."""
    days_left: int
    leaves: bool
    """Whether the patient's time ends before the month does."""


def line(row: Row, today: date, approaching_seconds: int) -> Line:
    """The row, with its bars and what a script needs to know of it."""
    place = rank(row)
    step = row.step if row.worth or row.step is None or row.step.gain is None else None
    own_step = step is not None and step.family is Family.PRACTITIONER
    pooled = row.staff + row.own if row.pooled != row.staff else row.staff
    return Line(
        row=row,
        anchor=anchor(row.patient_id),
        order=f"{place.tier}{place.within + 10**9:018.6f}{row.patient_id}",
        staff=_bar(row, row.staff, min(row.pooled, pooled), False, None if own_step else step),
        own=_bar(row, row.own, row.own, True, step if own_step else None) if row.own else None,
        step=row.step,
        near=shows(Show.NEAR, row, approaching_seconds),
        days_left=max(0, (row.last_day - today).days + 1),
        leaves=row.last_day < last_day(row.month),
    )


def anchor(patient_id: str) -> str:
    """An element's id for a patient."""
    if _PLAIN.fullmatch(patient_id):
        return f"r-{patient_id}"
    return f"x-{patient_id.encode().hex()}"


def _bar(row: Row, filled: int, beside: int, own: bool, step: Rung | None) -> Bar:
    marks = {
        mark.seconds: mark for mark in row.marks if (mark.family is Family.PRACTITIONER) == own
    }
    goal = beside + step.seconds_to_go if step else beside
    ticks = tuple(
        Tick(
            _percent(seconds),
            seconds <= beside,
            seconds == goal > beside,
            f"{seconds // 60} minutes: {mark.code}",
        )
        for seconds, mark in sorted(marks.items())
    )
    return Bar(_percent(filled), _percent(beside), _percent(goal), beside > BAR_SECONDS, ticks)


def _percent(seconds: int) -> str:
    return f"{min(seconds, BAR_SECONDS) * 100 / BAR_SECONDS:.2f}"


def round_dollars(amount: Decimal | float) -> str:
    """`$9,720`: for sums, where cents say nothing."""
    return f"${amount:,.0f}"


def codes(units: dict[str, int]) -> list[tuple[str, int]]:
    """Codes with their units, the most frequent first."""
    return sorted(units.items(), key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True)
class Gauge:
    """Dollars of the month on a line: earned, expected, and the interval; hundredths of it."""

    earned: str
    low: str
    expected: str
    high: str


def gauge(totals: Totals) -> Gauge | None:
    """The forecast as a picture; None without one."""
    if totals.forecast is None or not totals.forecast.dollars.high:
        return None
    span: Span = totals.forecast.dollars
    end = span.high * 1.04

    def at(amount: float) -> str:
        return f"{amount * 100 / end:.2f}"

    return Gauge(at(float(totals.dollars)), at(span.low), at(span.expected), at(span.high))
