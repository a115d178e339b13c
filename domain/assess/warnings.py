"""What does not block a month but should be looked at before it is claimed."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from domain.assess.assessment import Family, Option
from domain.assess.context import MonthContext
from domain.assess.counting import Tally
from domain.entries import Entry, Standing
from domain.facts import (
    Clocked,
    MonthClaimed,
    TimeAmended,
    TimeLogged,
    Work,
)
from domain.time.calendar import first_day, last_day, local_date


@dataclass(slots=True)
class Examined:
    """A month with everything that its warnings look at."""

    context: MonthContext
    tally: Tally
    entries: Collection[Entry]
    options: tuple[Option, ...]
    earned: tuple[Option, ...]

    @property
    def standing(self) -> list[Standing]:
        """What stands of the entries."""
        return [entry.standing for entry in self.entries if entry.standing is not None]


def falls_in_month(context: MonthContext, work: Work) -> bool:
    if isinstance(work, Clocked):
        return any(d.start < work.ended_at and work.started_at < d.end for d in context.days)
    return context.holds(work.performed_on)


def _contemporaneity(x: Examined) -> bool:
    return x.tally.late


def _unclocked_time(x: Examined) -> bool:
    return x.tally.unclocked


def _mue_exceeded(x: Examined) -> bool:
    limits = x.context.prerequisites.warned_above
    for option in x.options:
        for line in option.codes:
            limit = limits.get(line.code)
            if limit is not None and line.units > limit:
                return True
    return False


def _late_after_claim(x: Examined) -> bool:
    claim = x.context.chart.claims.get(x.context.month)
    if claim is None:
        return False
    assert isinstance(claim.fact, MonthClaimed)
    submitted_on = claim.fact.submitted_on
    for entry in x.entries:
        latest = max((event.time for event in entry.unwithdrawn), default=None)
        if latest is None or local_date(latest, x.context.timezone) <= submitted_on:
            continue
        if _was_in_month(x.context, entry):
            return True
    return False


def _was_in_month(context: MonthContext, entry: Entry) -> bool:
    facts = [event.fact for event in entry.unwithdrawn]
    timed = [fact for fact in facts if isinstance(fact, TimeLogged | TimeAmended)]
    return any(falls_in_month(context, fact.work) for fact in timed)


def _same_day_visit(x: Examined) -> bool:
    begins, ends = first_day(x.context.month), last_day(x.context.month)
    for first, last in x.context.prerequisites.visit_spans:
        near = first <= ends and last >= begins
        if near and any(first <= day <= last for day in x.tally.everyone):
            return True
    return False


def _concurrent_service(x: Examined) -> bool:
    return x.context.prerequisites.concurrent


def _mdm_by_other(x: Examined) -> bool:
    families = x.context.families
    return x.context.mdm_by_other and any(f.rule.family is Family.COMPLEX for f in families)


def _fee_missing(x: Examined) -> bool:
    if x.context.span is None or "provider-not-eligible" in x.context.blockers:
        return False
    return any(option.payment is None for option in (*x.options, *x.earned))


WARNINGS: tuple[tuple[str, Callable[[Examined], bool]], ...] = (
    ("concurrent-service", _concurrent_service),
    ("contemporaneity", _contemporaneity),
    ("fee-missing", _fee_missing),
    ("late-after-claim", _late_after_claim),
    ("mdm-not-by-billing-practitioner", _mdm_by_other),
    ("mue-exceeded", _mue_exceeded),
    ("same-day-visit", _same_day_visit),
    ("unclocked-time", _unclocked_time),
)
"""In sorted order, as they are printed."""


def warnings(x: Examined) -> tuple[str, ...]:
    return tuple([name for name, holds in WARNINGS if holds(x)])
