"""The month's time in stretches: each of one entry and one day, counted or for one reason not.

The same walk as `domain.assess.counting`, with where on the clock each second lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import cast

from domain.assess.context import MonthContext
from domain.assess.counting import NEVER, OVERLAP, never_counts, standing_entries
from domain.entries import Entry, Standing
from domain.facts import Clocked, Instant, Unclocked


@dataclass(frozen=True, slots=True)
class Stretch:
    """Seconds of one entry on one local day that share a fate.

    `started_at` is None for work without clock times. `reason` is why the seconds do not count,
    None where they do. Seconds excluded as `overlap` may still count in the pool of their own
    role (`in_own_pool`): for a practitioner who worked while staff did.
    """

    entry_id: str
    day: date
    started_at: Instant | None
    seconds: int
    reason: str | None
    in_own_pool: bool


def stretches(context: MonthContext, entries: Iterable[Entry]) -> tuple[Stretch, ...]:
    """Every second of the month that stands, once: clocked ones in the order in which overlap is
    charged, then unclocked ones by day."""
    clocked, unclocked = standing_entries(entries)
    walk = _Walk(context)
    found = [stretch for standing in clocked for stretch in walk.clocked(standing)]
    days = [stretch for standing in unclocked for stretch in walk.unclocked(standing)]
    return (*found, *sorted(days, key=lambda stretch: (stretch.day, stretch.entry_id)))


class _Walk:
    """How far entries that may count have reached: all of them, and by role."""

    def __init__(self, context: MonthContext) -> None:
        self._context = context
        self._everyone: Instant = NEVER
        self._own: dict[bool, Instant] = {True: NEVER, False: NEVER}

    def clocked(self, standing: Standing) -> Iterator[Stretch]:
        work, context = cast(Clocked, standing.work), self._context
        never = never_counts(standing, context)
        for (begin, end, day), span in zip(context.days, context.spans, strict=True):
            begin, end = max(begin, work.started_at), min(end, work.ended_at)
            if begin >= end:
                continue
            reason = never or context.reasons.of(day, span)[0]
            if reason is not None:
                yield Stretch(standing.entry_id, day, begin, end - begin, reason, False)
            else:
                yield from self._shared(standing, day, begin, end)
        if never is None:
            self._everyone = max(self._everyone, work.ended_at)
            own = standing.by_practitioner
            self._own[own] = max(self._own[own], work.ended_at)

    def _shared(
        self, standing: Standing, day: date, begin: Instant, end: Instant
    ) -> Iterator[Stretch]:
        """Seconds of a kind that counts: those that earlier entries cover are `overlap`."""
        own = min(max(begin, self._own[standing.by_practitioner]), end)
        fresh = min(max(begin, self._everyone), end)
        name = standing.entry_id
        if begin < own:
            yield Stretch(name, day, begin, own - begin, OVERLAP, False)
        if own < fresh:
            yield Stretch(name, day, own, fresh - own, OVERLAP, True)
        if fresh < end:
            yield Stretch(name, day, fresh, end - fresh, None, True)

    def unclocked(self, standing: Standing) -> Iterator[Stretch]:
        work, context = cast(Unclocked, standing.work), self._context
        if not context.holds(work.performed_on):
            return
        reason = never_counts(standing, context) or context.reasons_on(work.performed_on)[0]
        yield Stretch(
            standing.entry_id, work.performed_on, None, work.seconds, reason, reason is None
        )
