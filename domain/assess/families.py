"""From seconds to codes: what each family offers, what is next, which one is picked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from domain.assess.assessment import Family, NextThreshold, Option, Payment
from domain.assess.context import MonthContext
from domain.assess.counting import Pool, Tally
from domain.event import Event
from domain.facts import CarePlanRecorded, CodeUnits, Month
from domain.fees.schedule import FeeSchedule
from domain.policy import Policy
from domain.rules.book import FamilyCodes
from domain.rules.codes import Pool as PoolName
from domain.time.calendar import first_day, last_day

_COMPLEX = Family.COMPLEX


class Units(NamedTuple):
    """Codes reached in a pool, and the seconds at which the last of them was reached."""

    codes: tuple[CodeUnits, ...]
    last_threshold_seconds: int


class Offer(NamedTuple):
    """A family whose own requirements the seconds meet."""

    family: Family
    units: Units
    pool: Pool


def pool_of(tally: Tally, pool: PoolName, policy: Policy) -> Pool:
    """Seconds by local date that a pool counts."""
    if pool == "practitioner":
        return tally.practitioner
    if pool == "everyone" or policy.pool_practitioner_time:
        return tally.everyone
    return tally.staff


def units_reached(family: FamilyCodes, seconds: int) -> Units | None:
    """Full thresholds only; None below the base."""
    base, addon = family.base, family.addon
    if seconds < base.threshold_seconds:
        return None
    if addon is None:
        return _units(base.code, base.threshold_seconds, "", 0, 0)
    further = (seconds - base.threshold_seconds) // addon.threshold_seconds
    units = further if addon.units_max is None else min(further, addon.units_max)
    return _units(base.code, base.threshold_seconds, addon.code, addon.threshold_seconds, units)


@lru_cache(maxsize=4_096)
def _units(base: str, base_seconds: int, addon: str, addon_seconds: int, units: int) -> Units:
    """One object for all months in which as much is reached."""
    reached = (CodeUnits(base, 1),)
    if units == 0:
        return Units(reached, base_seconds)
    return Units((*reached, CodeUnits(addon, units)), base_seconds + units * addon_seconds)


def next_threshold(family: FamilyCodes, seconds: int) -> NextThreshold | None:
    """The nearest threshold not reached yet; None where the family is capped."""
    name, base, addon = family.rule.family, family.base, family.addon
    if seconds < base.threshold_seconds:
        return NextThreshold(name, base.code, 1, base.threshold_seconds - seconds)
    if addon is None:
        return None
    unit = (seconds - base.threshold_seconds) // addon.threshold_seconds + 1
    if addon.units_max is not None and unit > addon.units_max:
        return None
    goal = base.threshold_seconds + unit * addon.threshold_seconds
    return NextThreshold(name, addon.code, unit, goal - seconds)


def plan_serves_complex(context: MonthContext) -> bool:
    """Whether the care plan was worked on in the month, where the date of service asks for it."""
    rule = context.rules.complex
    if rule is None or not rule.plan_actions_in_month:
        return rule is not None
    return any(
        _acts_in(event, rule.plan_actions_in_month, context.month)
        for event in context.chart.care_plans
    )


def _acts_in(event: Event, actions: frozenset[str], month: Month) -> bool:
    plan = event.fact
    assert isinstance(plan, CarePlanRecorded)
    return plan.action in actions and first_day(month) <= plan.on <= last_day(month)


def standing(
    context: MonthContext, tally: Tally
) -> tuple[tuple[Offer, ...], tuple[NextThreshold, ...]]:
    """What the seconds offer by family, in the order of options and whatever blocks the month; and
    the nearest threshold of each family."""
    offered, ahead = [], []
    for family in context.in_reach:
        name, pool = family.rule.family, pool_of(tally, family.rule.pool, context.policy)
        seconds = pool.total
        units = units_reached(family, seconds)
        if units is not None and (name is not _COMPLEX or plan_serves_complex(context)):
            offered.append(Offer(name, units, pool))
        nearest = next_threshold(family, seconds)
        if nearest is not None:
            ahead.append(nearest)
    return tuple(offered), tuple(ahead)


def priced(
    context: MonthContext, offered: tuple[Offer, ...], fees: FeeSchedule
) -> tuple[Option, ...]:
    """Offers as options, each with its date of service and its dollars."""
    found = []
    for offer in offered:
        codes = offer.units.codes
        on = _date_of_service(context, offer.pool, offer.units.last_threshold_seconds)
        found.append(Option(offer.family, codes, on, _price(context, fees, codes, on)))
    return tuple(found)


def _date_of_service(context: MonthContext, pool: Mapping[date, int], threshold: int) -> date:
    if context.policy.date_of_service == "month-end":
        return last_day(context.month)
    return day_reached(pool, threshold)


def day_reached(pool: Mapping[date, int], threshold_seconds: int) -> date:
    """The local date on which the pool reached the threshold.

    Unclocked work counts at the end of its day, so the totals by day decide.
    """
    counted = 0
    for day in sorted(pool):
        counted += pool[day]
        if counted >= threshold_seconds:
            return day
    raise ValueError("the pool never reaches the threshold")


def _price(
    context: MonthContext, fees: FeeSchedule, codes: tuple[CodeUnits, ...], on: date
) -> Payment | None:
    if context.span is None:
        return None
    enrolment = context.span.enrolment
    return fees.price(
        codes,
        on,
        credential=enrolment.billing_practitioner.credential,
        setting=enrolment.setting,
        provider_kind=enrolment.provider_kind,
        locality=enrolment.locality,
        qp=context.policy.qp,
    )


def select(options: tuple[Option, ...], policy: Policy) -> Option | None:
    """The option the practice's policy picks; ties go to the earlier."""
    if not options:
        return None
    if policy.selection == "highest-payment":
        return max(options, key=_amount)
    if policy.selection == "staff-first":
        for option in options:
            if option.family is Family.NON_COMPLEX:
                return option
    return options[0]


def _amount(option: Option) -> tuple[bool, object]:
    """An option without a figure never beats one that has it."""
    if option.payment is None:
        return (False, 0)
    return (True, option.payment.amount)
