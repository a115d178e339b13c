"""Care time of a month: every logged second is counted once or excluded once.

Clocked entries count as the union of their intervals. A second that several entries cover belongs
to the one that started first (ties: ended first, then `entry_id`); for the others it is `overlap`.
All entries share the days that do not count, so how far the earlier entries reach is all that a
later one needs to know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from domain.assess.context import CountedDay, MonthContext
from domain.entries import Entry, Standing
from domain.facts import Clocked, Instant, Unclocked

OVERLAP = "overlap"
NEVER: Instant = -(2**62)


@dataclass(slots=True)
class Tally:
    """Seconds of one month. The pools map local dates to seconds counted on them."""

    logged: int = 0
    staff: dict[date, int] = field(default_factory=dict)
    practitioner: dict[date, int] = field(default_factory=dict)
    everyone: dict[date, int] = field(default_factory=dict)
    excluded: dict[tuple[str, str], int] = field(default_factory=dict)
    """By entry and reason."""
    unclocked: bool = False
    """Some counted seconds are of unclocked work."""

    def exclude(self, entry_id: str, reason: str, seconds: int) -> None:
        key = (entry_id, reason)
        self.excluded[key] = self.excluded.get(key, 0) + seconds

    @property
    def excluded_seconds(self) -> int:
        return sum(self.excluded.values())


def _add(pool: dict[date, int], day: date, seconds: int) -> None:
    pool[day] = pool.get(day, 0) + seconds


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
    _count_clocked(tally, context, clocked, lasting)
    for standing in unclocked:
        _count_unclocked(tally, context, standing, lasting)
    return tally


def _count_clocked(
    tally: Tally, context: MonthContext, clocked: list[Standing], lasting: bool
) -> None:
    not_countable = context.policy.not_countable
    reached = reached_by_staff = reached_by_practitioner = NEVER
    for standing in clocked:
        work = cast(Clocked, standing.work)
        started_at, ended_at = work.started_at, work.ended_at
        excluded = standing.always_excluded or (
            "not-countable" if standing.activity in not_countable else None
        )
        if standing.by_practitioner:
            pool, reached_in_pool = tally.practitioner, reached_by_practitioner
        else:
            pool, reached_in_pool = tally.staff, reached_by_staff
        for start, end, day in _stretches(context.days, started_at, ended_at):
            seconds = end - start
            tally.logged += seconds
            reason = excluded or (day.lasting if lasting else day.reason)
            if reason is not None:
                tally.exclude(standing.entry_id, reason, seconds)
                continue
            fresh = end - max(start, reached)
            if fresh > 0:
                _add(tally.everyone, day.day, fresh)
            if fresh < seconds:
                tally.exclude(standing.entry_id, OVERLAP, seconds - max(fresh, 0))
            fresh_in_pool = end - max(start, reached_in_pool)
            if fresh_in_pool > 0:
                _add(pool, day.day, fresh_in_pool)
        if excluded is None:
            reached = max(reached, ended_at)
            if standing.by_practitioner:
                reached_by_practitioner = max(reached_by_practitioner, ended_at)
            else:
                reached_by_staff = max(reached_by_staff, ended_at)


def _stretches(
    days: tuple[CountedDay, ...], started_at: Instant, ended_at: Instant
) -> Iterator[tuple[Instant, Instant, CountedDay]]:
    """The parts of an interval that fall in the month, day by day."""
    index = _day_index(days, started_at)
    while index < len(days):
        day = days[index]
        if day.start >= ended_at:
            return
        start = started_at if started_at > day.start else day.start
        end = ended_at if ended_at < day.end else day.end
        if start < end:
            yield start, end, day
        index += 1


def _day_index(days: tuple[CountedDay, ...], instant: Instant) -> int:
    """Index of the first stretch that ends after the instant."""
    low, high = 0, len(days)
    while low < high:
        middle = (low + high) // 2
        if days[middle].end <= instant:
            low = middle + 1
        else:
            high = middle
    return low


def _count_unclocked(
    tally: Tally, context: MonthContext, standing: Standing, lasting: bool
) -> None:
    work = cast(Unclocked, standing.work)
    if not context.holds(work.performed_on):
        return
    tally.logged += work.seconds
    reason = standing.always_excluded
    if reason is None and standing.activity in context.policy.not_countable:
        reason = "not-countable"
    reason = reason or context.reasons_on(work.performed_on)[lasting]
    if reason is not None:
        tally.exclude(standing.entry_id, reason, work.seconds)
        return
    tally.unclocked = True
    pool = tally.practitioner if standing.by_practitioner else tally.staff
    _add(pool, work.performed_on, work.seconds)
    _add(tally.everyone, work.performed_on, work.seconds)
