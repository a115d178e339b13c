"""Care time of a month: every logged second is counted once or excluded once.

Clocked entries count as the union of their intervals. A second that several entries cover belongs
to the one that started first (ties: ended first, then `entry_id`); for the others it is `overlap`.
All entries share the days that do not count, so how far the earlier entries reach is all that a
later one needs to know.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import cast

from domain.assess.context import MonthContext
from domain.entries import Entry, Standing
from domain.facts import Clocked, Instant, Unclocked, Work
from domain.time.calendar import ONE_DAY, SECONDS_A_DAY, midnight

OVERLAP = "overlap"
LIFTED_IN_EARNED = frozenset({"not-enrolled", "before-consent", "before-initiating-visit"})
"""Exclusions that `earned` leaves aside."""

CONTEMPORANEOUS_SECONDS = 7 * SECONDS_A_DAY

NEVER: Instant = -(2**62)


class Pool(dict[date, int]):
    """Seconds counted by local date, their sum, and how far the clocked entries that may count
    have reached."""

    __slots__ = ("reached", "total")

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.reached = NEVER

    def add(self, day: date, seconds: int) -> None:
        self[day] = self.get(day, 0) + seconds
        self.total += seconds

    def add_reaching(self, day: date, seconds: int, ended_at: Instant) -> None:
        """Count an entry that shares no second with another: it has covered all up to its end."""
        self[day] = self.get(day, 0) + seconds
        self.total += seconds
        if self.reached < ended_at:
            self.reached = ended_at

    def add_beyond_reach(self, day: date, start: Instant, end: Instant) -> int:
        """Count the seconds that no earlier entry has covered; how many they are."""
        reached = self.reached
        fresh = end - start if start >= reached else end - reached
        if fresh <= 0:
            return 0
        self[day] = self.get(day, 0) + fresh
        self.total += fresh
        return fresh

    def reach(self, ended_at: Instant) -> None:
        """An entry that may count has covered everything up to here."""
        if self.reached < ended_at:
            self.reached = ended_at


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
    lifted_in_earned: bool = False
    """Some seconds are excluded for a reason that `earned` leaves aside."""
    starts: list[Instant] = field(default_factory=list)
    ends: list[Instant] = field(default_factory=list)
    """The clocked entries that may count, ascending; touching or overlapping ones are one."""

    def cover(self, start: Instant, end: Instant) -> None:
        """An entry that may count has covered these seconds. They begin no earlier than all that
        is covered, or they were free."""
        starts, ends = self.starts, self.ends
        if not ends or start > ends[-1]:
            starts.append(start)
            ends.append(end)
        elif start >= starts[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            index = bisect_left(starts, end)
            starts.insert(index, start)
            ends.insert(index, end)

    def is_free(self, start: Instant, end: Instant) -> bool:
        """Whether no entry that may count covers any of these seconds."""
        index = bisect_right(self.ends, start)
        return index == len(self.starts) or end <= self.starts[index]

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
        work = cast(Clocked, standing.work)
        alone = work.started_at >= tally.everyone.reached
        if not (alone and _count_plainly(tally, context, standing, work)):
            _count_clocked(tally, context, standing, lasting)
    for standing in unclocked:
        _count_unclocked(tally, context, standing, lasting)
    return tally


def count_one_more(tally: Tally, context: MonthContext, standing: Standing) -> bool:
    """Count an entry on top of a tally when it shares no second with what was counted so far: then
    order cannot matter. False: count the month anew."""
    work = standing.work
    if type(work) is not Clocked:
        _count_unclocked(tally, context, standing, False)
        return True
    at_the_end = work.started_at >= tally.everyone.reached
    if not at_the_end and not tally.is_free(work.started_at, work.ended_at):
        return False
    if not _count_plainly(tally, context, standing, work):
        (_count_clocked if at_the_end else _count_between)(tally, context, standing)
    return True


def _count_plainly(tally: Tally, context: MonthContext, standing: Standing, work: Clocked) -> bool:
    """Count an entry that shares no second with another, lies within one day and counts wholly;
    False for one that is not so plain."""
    started_at, ended_at = work.started_at, work.ended_at
    index = bisect_right(context.day_ends, started_at)
    if started_at < context.ready_from or index == len(context.days):
        return False
    start, end, day = context.days[index]
    if started_at < start or ended_at > end:
        return False
    if standing.always_excluded is not None or standing.activity in context.not_countable:
        return False
    seconds = ended_at - started_at
    tally.logged += seconds
    own = tally.practitioner if standing.by_practitioner else tally.staff
    own.add_reaching(day, seconds, ended_at)
    tally.everyone.add_reaching(day, seconds, ended_at)
    if standing.event.time - ended_at > CONTEMPORANEOUS_SECONDS:
        tally.late = True
    tally.cover(started_at, ended_at)
    return True


def _count_between(tally: Tally, context: MonthContext, standing: Standing) -> None:
    """Count an entry that fills a gap: for it, no entry has reached anywhere yet."""
    pools = (tally.staff, tally.practitioner, tally.everyone)
    reached = [pool.reached for pool in pools]
    for pool in pools:
        pool.reached = NEVER
    _count_clocked(tally, context, standing)
    for pool, before in zip(pools, reached, strict=True):
        pool.reach(before)


def work_ended_at(context: MonthContext, work: Work) -> Instant:
    """Unclocked work ends with its local day."""
    if isinstance(work, Clocked):
        return work.ended_at
    timezone = context.timeline.timezone_on(work.performed_on)
    return midnight(work.performed_on + ONE_DAY, timezone)


def never_counts(standing: Standing, context: MonthContext) -> str | None:
    if standing.always_excluded is not None:
        return standing.always_excluded
    return "not-countable" if standing.activity in context.not_countable else None


def _count_clocked(
    tally: Tally, context: MonthContext, standing: Standing, lasting: bool = False
) -> None:
    work = cast(Clocked, standing.work)
    started_at, ended_at = work.started_at, work.ended_at
    own = tally.practitioner if standing.by_practitioner else tally.staff
    never, days, logged_before = never_counts(standing, context), context.days, tally.logged
    for index in range(bisect_right(context.day_ends, started_at), len(days)):
        start, end, day = days[index]
        if start >= ended_at:
            break
        start = start if start > started_at else started_at
        end = end if end < ended_at else ended_at
        tally.logged += end - start
        reason = never
        if reason is None and start < context.ready_from:
            reason = context.reasons.of(day, context.spans[index])[lasting]
        if reason is None:
            own.add_beyond_reach(day, start, end)
            counted = tally.everyone.add_beyond_reach(day, start, end)
            if counted < end - start:
                tally.exclude(standing.entry_id, OVERLAP, end - start - counted)
        else:
            tally.exclude(standing.entry_id, reason, end - start)
    if tally.logged > logged_before and standing.event.time - ended_at > CONTEMPORANEOUS_SECONDS:
        tally.late = True
    if never is None:
        tally.cover(started_at, ended_at)
        own.reach(ended_at)
        tally.everyone.reach(ended_at)


def _count_unclocked(
    tally: Tally, context: MonthContext, standing: Standing, lasting: bool
) -> None:
    work = cast(Unclocked, standing.work)
    if not context.holds(work.performed_on):
        return
    tally.logged += work.seconds
    if standing.event.time - work_ended_at(context, work) > CONTEMPORANEOUS_SECONDS:
        tally.late = True
    reason = never_counts(standing, context) or context.reasons_on(work.performed_on)[lasting]
    if reason is not None:
        tally.exclude(standing.entry_id, reason, work.seconds)
        return
    tally.unclocked = True
    own = tally.practitioner if standing.by_practitioner else tally.staff
    own.add(work.performed_on, work.seconds)
    tally.everyone.add(work.performed_on, work.seconds)
