"""Which enrolment is in force when, and with it the patient's local date of any instant.

An enrolment begins at local midnight of its `effective_on` in its own zone. It ends when the next
one begins, or at local midnight after its last day. Outside every enrolment the default zone
tells the date.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from domain.event import Event
from domain.facts import Instant, Month, PatientEnrolled
from domain.time.calendar import (
    ONE_DAY,
    WIDEST_OFFSET_SECONDS,
    LocalDay,
    LocalDays,
    days_of_month,
    first_day,
    last_day,
    midnight,
)

BEGINNING: Instant = -(2**62)
END: Instant = 2**62
ZONES_APART_SECONDS = 2 * WIDEST_OFFSET_SECONDS
"""No day begins so much earlier in one zone than in another."""


@dataclass(frozen=True, slots=True)
class Span:
    """An enrolment in force from `first` to `last` (None: still open), both days included."""

    enrolment: PatientEnrolled
    event: Event
    first: date
    last: date | None
    ended_by: Event | None = None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def touches(self, month: Month) -> bool:
        begun = self.first <= last_day(month)
        return begun and (self.last is None or self.last >= first_day(month))


@dataclass(slots=True)
class MonthDays:
    """Every instant whose local date lies in a month: stretches that share a date and an
    enrolment (or none), in order of time, each with its enrolment at the same index."""

    days: tuple[LocalDay, ...]
    ends: tuple[Instant, ...]
    spans: tuple[Span | None, ...]


@dataclass(slots=True)
class _Regime:
    """A time in which one enrolment is in force, or none; `start` is before `end`."""

    start: Instant
    end: Instant
    timezone: str
    span: Span | None

    def holds_alone(self, days: LocalDays) -> bool:
        """Whether these days of its zone lie in it, and no other zone's days of those dates lie
        outside."""
        first, last = self.start + ZONES_APART_SECONDS, self.end - ZONES_APART_SECONDS
        return first <= days.days[0].start and days.ends[-1] <= last


class Timeline:
    """The spans of one patient in order, and the local days they make."""

    def __init__(self, spans: Sequence[Span], default_timezone: str) -> None:
        self.spans = tuple(spans)
        self.default_timezone = default_timezone
        regimes = _regimes(self.spans, default_timezone)
        self._regimes = tuple([regime for regime in regimes if regime.start < regime.end])

    def span_on(self, day: date) -> Span | None:
        """The enrolment in force on a day."""
        for span in reversed(self.spans):
            if span.first <= day:
                return span if span.covers(day) else None
        return None

    def span_of_month(self, month: Month) -> Span | None:
        """The enrolment in force on the last day of the month that has any."""
        for span in reversed(self.spans):
            if span.touches(month):
                return span
        return None

    def timezone_on(self, day: date) -> str:
        span = self.span_on(day)
        return span.enrolment.timezone if span else self.default_timezone

    def days(self, month: Month) -> MonthDays:
        """The days of a month under whichever enrolments were in force."""
        for regime in reversed(self._regimes):
            days = days_of_month(month, regime.timezone)
            if regime.holds_alone(days):
                return MonthDays(days.days, days.ends, (regime.span,) * len(days.days))
        parts = [(_days_within(regime, month), regime.span) for regime in self._regimes]
        found = MonthDays((), (), ())
        for part, span in parts:
            found.days += part.days
            found.ends += part.ends
            found.spans += (span,) * len(part.days)
        return found


def _regimes(spans: Sequence[Span], default_timezone: str) -> Iterator[_Regime]:
    free_from = BEGINNING
    starts = _starts(spans)
    for index, span in enumerate(spans):
        start, end = starts[index], starts[index + 1] if index + 1 < len(spans) else END
        if span.last is not None and span.ended_by is not None:
            end = min(end, midnight(span.last + ONE_DAY, span.enrolment.timezone))
        yield _Regime(free_from, start, default_timezone, None)
        yield _Regime(start, end, span.enrolment.timezone, span)
        free_from = end
    yield _Regime(free_from, END, default_timezone, None)


def _starts(spans: Sequence[Span]) -> list[Instant]:
    """When each enrolment begins: never later than the one after it.

    A day may begin up to 26 hours apart in two zones, so that the next day of the one has begun
    before the first of the other. The later enrolment then holds.
    """
    starts = [midnight(span.first, span.enrolment.timezone) for span in spans]
    for index in reversed(range(len(starts) - 1)):
        starts[index] = min(starts[index], starts[index + 1])
    return starts


def _days_within(regime: _Regime, month: Month) -> LocalDays:
    """The month's days in the regime's zone, as far as they lie in the regime."""
    whole = days_of_month(month, regime.timezone)
    first, last = whole.days[0], whole.days[-1]
    if regime.start <= first.start and last.end <= regime.end:
        return whole
    if regime.end <= first.start or last.end <= regime.start:
        return NO_DAYS
    # Each day begins where the one before it ends.
    some = slice(bisect_right(whole.ends, regime.start), bisect_left(whole.ends, regime.end) + 1)
    cut = list(whole.days[some])
    cut[0] = LocalDay(max(cut[0].start, regime.start), cut[0].end, cut[0].day)
    cut[-1] = LocalDay(cut[-1].start, min(cut[-1].end, regime.end), cut[-1].day)
    return LocalDays.of(cut)


NO_DAYS = LocalDays((), ())
