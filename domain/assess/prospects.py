"""What further minutes of a month would bring: the thresholds ahead, each with its dollars.

A rung's dollars are by how much the practice's own selection would be paid more than on the rung
before, not the price of a code: where the next unit would make the selection worth less, they are
negative, and where a figure is not known there are none.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from domain.assess.assessment import Family
from domain.assess.context import MonthContext
from domain.assess.counting import Pool, Tally
from domain.assess.families import next_threshold, pool_of, priced, select, standing
from domain.assess.reckoning import Reckoning
from domain.rules.book import FamilyCodes, RuleBook
from domain.time.calendar import first_day

RUNGS_MAX: Final = 4
"""How far ahead a family's ladder is looked at: further units are too far off to plan by."""


class Threshold(NamedTuple):
    """Seconds of its family's pool at which a unit of a code is reached."""

    family: Family
    code: str
    unit: int
    seconds: int


class Rung(NamedTuple):
    """A threshold ahead. `seconds_to_go` is from now; `gain` is over the rung before it."""

    family: Family
    code: str
    unit: int
    seconds_to_go: int
    gain: Decimal | None


def thresholds(reckoning: Reckoning, seconds_max: int) -> tuple[Threshold, ...]:
    """Every threshold that the month knows up to `seconds_max`, reached or not, by family in the
    order of options; complex only with the decision making it needs."""
    found: list[Threshold] = []
    for family in reckoning.context.in_reach:
        seconds = 0
        while (near := next_threshold(family, seconds)) is not None:
            seconds += near.seconds_to_go
            if seconds > seconds_max:
                break
            found.append(Threshold(family.rule.family, near.code, near.unit, seconds))
    return tuple(found)


def ladders_ahead(
    reckoning: Reckoning, book: RuleBook, today: date
) -> tuple[tuple[Rung, ...], ...]:
    """For each family with a threshold ahead its next rungs, nearest first.

    None at all where something blocks the month, or where no day from `today` to its end counts:
    then further minutes bring nothing as things stand.
    """
    day = None if reckoning.blockers else _day_that_counts(reckoning.context, today)
    if day is None:
        return ()
    families = reckoning.context.in_reach
    climbed = (_climb(reckoning, book, family, day) for family in families)
    return tuple(ladder for ladder in climbed if ladder)


def _day_that_counts(context: MonthContext, today: date) -> date | None:
    """The first day from today to the month's end whose time would count."""
    day = max(today, first_day(context.month))
    while context.holds(day):
        if context.reasons_on(day)[0] is None:
            return day
        day += timedelta(days=1)
    return None


def _climb(
    reckoning: Reckoning, book: RuleBook, family: FamilyCodes, day: date
) -> tuple[Rung, ...]:
    context, tally = reckoning.context, reckoning.tally
    paid = _paid(context, tally, book)
    ahead = 0
    rungs: list[Rung] = []
    while len(rungs) < RUNGS_MAX:
        pool = pool_of(tally, family.rule.pool, context.policy)
        near = next_threshold(family, pool.total)
        if near is None:
            break
        ahead += near.seconds_to_go
        own = family.rule.family is Family.PRACTITIONER
        tally = _with_more(tally, day, near.seconds_to_go, own)
        then = _paid(context, tally, book)
        gain = None if then is None or paid is None else then - paid
        rungs.append(Rung(near.family, near.code, near.unit, ahead, gain))
        paid = then
    return tuple(rungs)


def _with_more(tally: Tally, day: date, seconds: int, by_practitioner: bool) -> Tally:
    """The same with work of a day on top, which overlaps nothing."""
    return Tally(
        logged=tally.logged + seconds,
        staff=tally.staff if by_practitioner else _more(tally.staff, day, seconds),
        practitioner=_more(tally.practitioner, day, seconds)
        if by_practitioner
        else tally.practitioner,
        everyone=_more(tally.everyone, day, seconds),
    )


def _more(pool: Pool, day: date, seconds: int) -> Pool:
    more = Pool()
    more.update(pool)
    more.total = pool.total
    more.add(day, seconds)
    return more


def _paid(context: MonthContext, tally: Tally, book: RuleBook) -> Decimal | None:
    """What the selected option is paid; nothing offered is paid nothing."""
    selected = select(priced(context, standing(context, tally)[0], book.fees), context.policy)
    if selected is None:
        return Decimal(0)
    return None if selected.payment is None else selected.payment.amount
