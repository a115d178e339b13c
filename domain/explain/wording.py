"""Small words that explanations share: units, dollars, spans of days, lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from domain.facts import Clocked, CodeUnits, Work
from domain.time.calendar import local_date, zone

SHOWN_MAX = 6
"""Ids or dates that a sentence lists before it counts the rest."""


def clock(seconds: int) -> str:
    """`1260 s (21:00)`: exact seconds, and minutes for people."""
    return f"{seconds} s ({seconds // 60}:{seconds % 60:02d})"


def codes(lines: Iterable[CodeUnits]) -> str:
    """`99490 + 99439 x2`."""
    said = [line.code if line.units == 1 else f"{line.code} x{line.units}" for line in lines]
    return " + ".join(said) or "no code"


def dollars(change: Decimal | None) -> str:
    """A change of amount with its sign."""
    return "amount not known" if change is None else f"{change:+}"


def several(count: int, one: str, many: str | None = None) -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def listed(items: Sequence[str]) -> str:
    """The first few, and how many more."""
    shown = ", ".join(items[:SHOWN_MAX])
    more = len(items) - SHOWN_MAX
    return f"{shown} and {more} more" if more > 0 else shown


def days(first: date, last: date | None) -> str:
    if last is None:
        return f"from {first}"
    return f"on {first}" if first == last else f"from {first} to {last}"


def work_done(work: Work, timezone: str) -> str:
    """When the work was, on the patient's own clock."""
    if not isinstance(work, Clocked):
        return f"{clock(work.seconds)} on {work.performed_on}, without clock times"
    start = datetime.fromtimestamp(work.started_at, zone(timezone))
    end = datetime.fromtimestamp(work.ended_at, zone(timezone))
    until = f"{end:%H:%M:%S}"
    if local_date(work.started_at, timezone) != local_date(work.ended_at, timezone):
        until = f"{end:%Y-%m-%d %H:%M:%S}"
    return f"{start:%Y-%m-%d %H:%M:%S} to {until} ({timezone})"
