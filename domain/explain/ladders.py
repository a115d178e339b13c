"""The thresholds of every family: when each unit was reached and by which entry's seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from domain.assess.assessment import Option
from domain.assess.context import MonthContext
from domain.assess.counting import Tally, count, standing_entries
from domain.assess.families import next_threshold, pool_of, units_reached
from domain.entries import Entry, Standing
from domain.explain.catalogue import cite
from domain.explain.explanation import CitedRule, Ladder, Step
from domain.explain.obstacles import obstacles
from domain.facts import CodeUnits
from domain.policy import Policy
from domain.rules.book import OPTION_ORDER, FamilyCodes
from domain.rules.codes import CodeRule, Family, Pool


@dataclass(frozen=True, slots=True)
class Share:
    """Seconds that one entry added to a pool on one day, after what came before it."""

    day: date
    entry_id: str
    seconds: int


def ladders(
    context: MonthContext, tally: Tally, entries: list[Entry], options: tuple[Option, ...]
) -> tuple[Ladder, ...]:
    """One per family that exists, in the order of options, whether the month knows it or not."""
    known = {family.rule.family: family for family in context.families}
    offered = {option.family for option in options}
    return tuple(
        _ladder(context, tally, entries, family, known.get(family), family in offered)
        for family in OPTION_ORDER
    )


def _ladder(
    context: MonthContext,
    tally: Tally,
    entries: list[Entry],
    name: Family,
    family: FamilyCodes | None,
    offered: bool,
) -> Ladder:
    seconds = (
        0 if family is None else sum(pool_of(tally, family.rule.pool, context.policy).values())
    )
    return Ladder(
        family=name,
        offered=offered,
        pool=family.rule.pool if family else None,
        seconds=seconds,
        steps=tuple(_steps(context, entries, family, seconds)) if family else (),
        obstacles=() if offered else tuple(obstacles(context, name, family, seconds)),
        rules=_rules(context, family),
    )


def _rules(context: MonthContext, family: FamilyCodes | None) -> tuple[CitedRule, ...]:
    if family is None:
        return ()
    named = [family.rule.rule_id, "time.calendar-month", "time.exact-seconds", "time.once"]
    return tuple(cite(rule_id, context.month) for rule_id in named)


def _steps(
    context: MonthContext, entries: list[Entry], family: FamilyCodes, seconds: int
) -> Iterator[Step]:
    """Every unit reached, then the next one."""
    by_entry = shares(context, entries, family.rule.pool)
    for line, rule in _units(family, seconds):
        goal = threshold_of(family, line)
        reached = _crossing(by_entry, goal)
        yield Step(
            code=line.code,
            unit=line.units,
            threshold_seconds=goal,
            reached_on=reached.day if reached else None,
            reached_by=reached.entry_id if reached else None,
            pool_seconds=reached.seconds if reached else None,
            seconds_to_go=max(0, goal - seconds),
            rule=cite(rule.rule_id, context.month),
        )


def _units(family: FamilyCodes, seconds: int) -> Iterator[tuple[CodeUnits, CodeRule]]:
    rules = {rule.code: rule for rule in (family.base, family.addon) if rule is not None}
    reached = units_reached(family, seconds)
    for line in reached.codes if reached else ():
        for unit in range(1, line.units + 1):
            yield CodeUnits(line.code, unit), rules[line.code]
    following = next_threshold(family, seconds)
    if following is not None:
        yield CodeUnits(following.code, following.unit), rules[following.code]


def threshold_of(family: FamilyCodes, line: CodeUnits) -> int:
    """Pool seconds at which the n-th unit of a code is reached."""
    if line.code == family.base.code or family.addon is None:
        return family.base.threshold_seconds
    return family.base.threshold_seconds + line.units * family.addon.threshold_seconds


def _crossing(by_entry: list[Share], goal: int) -> Share | None:
    """The share that reached the goal, with the pool's seconds up to and with it."""
    total = 0
    for share in by_entry:
        total += share.seconds
        if total >= goal:
            return Share(share.day, share.entry_id, total)
    return None


def shares(context: MonthContext, entries: list[Entry], pool: Pool) -> list[Share]:
    """What each entry added to the pool, by day; unclocked work at the end of its day."""
    clocked, unclocked = standing_entries(entries)
    added = _added(context, clocked, pool, context.policy)
    for standing in sorted(unclocked, key=lambda standing: standing.entry_id):
        alone = pool_of(count(context, [], [standing]), pool, context.policy)
        added += [Share(day, standing.entry_id, seconds) for day, seconds in alone.items()]
    return sorted(added, key=lambda share: share.day)


def _added(
    context: MonthContext, clocked: list[Standing], pool: Pool, policy: Policy
) -> list[Share]:
    added: list[Share] = []
    before: dict[date, int] = {}
    for number, standing in enumerate(clocked, start=1):
        after = dict(pool_of(count(context, clocked[:number], []), pool, policy))
        for day, seconds in after.items():
            fresh = seconds - before.get(day, 0)
            if fresh:
                added.append(Share(day, standing.entry_id, fresh))
        before = after
    return added
