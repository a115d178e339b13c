"""Care time of a month: every logged second is counted once or excluded once.

Clocked entries count as the union of their intervals. A second that several entries cover belongs
to the one that started first (ties: ended first, then `entry_id`); for the others it is `overlap`.
All entries share the days that do not count, so how far the earlier entries reach is all that a
later one needs to know.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from domain.assess.context import MonthContext
from domain.entries import Entry, Standing
from domain.facts import Clocked, Instant, Unclocked, Work
from domain.time.calendar import ONE_DAY, SECONDS_A_DAY, midnight
from domain.time.timeline import LocalDay

OVERLAP = "overlap"
LIFTED_IN_EARNED = frozenset({"not-enrolled", "before-consent", "before-initiating-visit"})
"""Exclusions that `earned` leaves aside."""

CONTEMPORANEOUS_SECONDS = 7 * SECONDS_A_DAY

NEVER: Instant = -(2**62)


class Pool(dict[date, int]):
    """Seconds counted by local date, and their sum."""

    __slots__ = ("total",)

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def add(self, day: date, seconds: int) -> None:
        self[day] = self.get(day, 0) + seconds
        self.total += seconds


@dataclass(slots=True)
class Tally:
    """Seconds of one month."""

    logged: int = 0
    staff: Pool = field(default_factory=Pool)
    practitioner: Pool = field(default_factory=Pool)
    everyone: Pool = field(default_factory=Pool)
    excluded: dict[tuple[str, str], int] = field(default_factory=dict)
    """By entry and reason."""
    unclocked: bool = False
    """Some counted seconds are of unclocked work."""
    late: bool = False
    """Some logged work was reported more than `CONTEMPORANEOUS_SECONDS` after it had ended."""
    reached: Instant = NEVER
    """How far the clocked entries that may count reach: all of them, then by pool."""
    reached_by_staff: Instant = NEVER
    reached_by_practitioner: Instant = NEVER

    lifted_in_earned: bool = False
    """Some seconds are excluded for a reason that `earned` leaves aside."""

    def exclude(self, entry_id: str, reason: str, seconds: int) -> None:
        self.lifted_in_earned |= reason in LIFTED_IN_EARNED
        key = (entry_id, reason)
        self.excluded[key] = self.excluded.get(key, 0) + seconds

    @property
    def excluded_seconds(self) -> int:
        return sum(self.excluded.values())


def standing_entries(entries: Iterable[Entry]) -> tuple[list[Standing], list[Standing]]:
    """(clocked in the order that overlap is charged in, unclocked)."""
    clocked: list[Standing] = []
    unclocked: list[Standing] = []
    for entry in entries:
        standing = entry.standing
        if standing is not None:
            (clocked if type(standing.work) is Clocked else unclocked).append(standing)
    if len(clocked) > 1:
        clocked.sort(key=_overlap_order)
    return clocked, unclocked


def _overlap_order(standing: Standing) -> tuple[Instant, Instant, str]:
    work = cast(Clocked, standing.work)
    return (work.started_at, work.ended_at, standing.entry_id)


def count(
    context: MonthContext, clocked: list[Standing], unclocked: list[Standing], lasting: bool = False
) -> Tally:
    """Count the month. `lasting`: as if enrolment, consent and visit were in order."""
    tally = Tally()
    for standing in clocked:
        _count_clocked(tally, context, standing, lasting)
    for standing in unclocked:
        _count_unclocked(tally, context, standing, lasting)
    return tally


def count_one_more(tally: Tally, context: MonthContext, standing: Standing) -> bool:
    """Count an entry on top of a tally when it starts no earlier than everything counted so far
    has ended: then it shares no second and order cannot matter. False: count the month anew."""
    work = standing.work
    if type(work) is Clocked:
        if work.started_at < tally.reached:
            return False
        _count_clocked(tally, context, standing, False)
    else:
        _count_unclocked(tally, context, standing, False)
    return True


def work_ended_at(context: MonthContext, work: Work) -> Instant:
    """Unclocked work ends with its local day."""
    if isinstance(work, Clocked):
        return work.ended_at
    timezone = context.timeline.timezone_on(work.performed_on)
    return midnight(work.performed_on + ONE_DAY, timezone)


def _note_lateness(tally: Tally, context: MonthContext, standing: Standing) -> None:
    if standing.event.time - work_ended_at(context, standing.work) > CONTEMPORANEOUS_SECONDS:
        tally.late = True


def _never_counts(standing: Standing, context: MonthContext) -> str | None:
    if standing.always_excluded is not None:
        return standing.always_excluded
    return "not-countable" if standing.activity in context.policy.not_countable else None


def _count_clocked(tally: Tally, context: MonthContext, standing: Standing, lasting: bool) -> None:
    work = cast(Clocked, standing.work)
    never, logged_before = _never_counts(standing, context), tally.logged
    for start, end, day in _stretches(context, work.started_at, work.ended_at):
        tally.logged += end - start
        reason = never or context.reasons.of(day.day, day.span)[lasting]
        if reason is not None:
            tally.exclude(standing.entry_id, reason, end - start)
        else:
            _count_stretch(tally, standing, start, end, day.day)
    if tally.logged > logged_before:
        _note_lateness(tally, context, standing)
    if never is None:
        _reach(tally, standing, work.ended_at)


def _count_stretch(
    tally: Tally, standing: Standing, start: Instant, end: Instant, day: date
) -> None:
    fresh = _fresh(start, end, tally.reached)
    if fresh > 0:
        tally.everyone.add(day, fresh)
    if fresh < end - start:
        tally.exclude(standing.entry_id, OVERLAP, end - start - fresh)
    if standing.by_practitioner:
        pool, reached = tally.practitioner, tally.reached_by_practitioner
    else:
        pool, reached = tally.staff, tally.reached_by_staff
    fresh_in_pool = _fresh(start, end, reached)
    if fresh_in_pool > 0:
        pool.add(day, fresh_in_pool)


def _fresh(start: Instant, end: Instant, reached: Instant) -> int:
    """Seconds of an interval that lie beyond what was reached before."""
    if start >= reached:
        return end - start
    return end - reached if end > reached else 0


def _reach(tally: Tally, standing: Standing, ended_at: Instant) -> None:
    tally.reached = max(tally.reached, ended_at)
    if standing.by_practitioner:
        tally.reached_by_practitioner = max(tally.reached_by_practitioner, ended_at)
    else:
        tally.reached_by_staff = max(tally.reached_by_staff, ended_at)


def _stretches(
    context: MonthContext, started_at: Instant, ended_at: Instant
) -> Iterator[tuple[Instant, Instant, LocalDay]]:
    """The parts of an interval that fall in the month, day by day."""
    days = context.days
    for index in range(bisect_right(context.day_ends, started_at), len(days)):
        day = days[index]
        if day.start >= ended_at:
            return
        start = started_at if started_at > day.start else day.start
        end = ended_at if ended_at < day.end else day.end
        if start < end:
            yield start, end, day


def _count_unclocked(
    tally: Tally, context: MonthContext, standing: Standing, lasting: bool
) -> None:
    work = cast(Unclocked, standing.work)
    if not context.holds(work.performed_on):
        return
    tally.logged += work.seconds
    _note_lateness(tally, context, standing)
    reason = _never_counts(standing, context) or context.reasons_on(work.performed_on)[lasting]
    if reason is not None:
        tally.exclude(standing.entry_id, reason, work.seconds)
        return
    tally.unclocked = True
    pool = tally.practitioner if standing.by_practitioner else tally.staff
    pool.add(work.performed_on, work.seconds)
    tally.everyone.add(work.performed_on, work.seconds)
