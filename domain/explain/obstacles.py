"""Why a family of codes is not offered, each reason with its rule."""

from __future__ import annotations

from collections.abc import Iterator

from domain.assess.context import MonthContext
from domain.assess.families import plan_serves_complex
from domain.event import Event
from domain.explain.catalogue import cite, refs
from domain.explain.explanation import CitedRule, EventRef, Obstacle
from domain.explain.wording import clock, listed
from domain.facts import CarePlanRecorded, ComplexityAssessed
from domain.rules.book import FamilyCodes, in_force
from domain.rules.codes import CODE_RULES, FAMILY_RULES, Family
from domain.time.calendar import first_day


def obstacles(
    context: MonthContext, name: Family, family: FamilyCodes | None, seconds: int
) -> Iterator[Obstacle]:
    """Everything that stands in the way; one thing may hide behind another."""
    if family is None:
        yield _unknown(context, name)
        return
    goal = family.base.threshold_seconds
    if seconds < goal:
        said = (
            f"{clock(seconds)} of {clock(goal)} for {family.base.code}, {goal - seconds} s to go."
        )
        rules = (cite(family.base.rule_id, context.month), cite("time.exact-seconds"))
        yield Obstacle("below-threshold", said, (), rules)
    if name is Family.COMPLEX:
        yield from _complex(context)
    if context.blockers:
        said = f"The month is blocked: {listed(context.blockers)}."
        yield Obstacle("blocked", said, (), ())


def _unknown(context: MonthContext, name: Family) -> Obstacle:
    """Why the month has no such family: the date of service, or the kind of provider."""
    month = context.month
    kind = context.span.enrolment.provider_kind if context.span else "practitioner"
    rows = [row for row in FAMILY_RULES if row.family is name]
    then = in_force(rows, first_day(month))
    bases = [code for code in CODE_RULES if code.family is name and code.is_base]
    rules = tuple(cite(row.rule_id, month) for row in then or rows)
    if then:
        kinds = sorted({each for row in then for each in row.provider_kinds})
        said = f"Billed by {listed(kinds)} in {month}, not by {kind}."
        return Obstacle("not-for-this-provider-kind", said, _enrolment(context), rules)
    held = listed([_held(row.first.isoformat(), row.last) for row in bases])
    said = f"{bases[0].code} is no code of {month}; it is one {held}."
    return Obstacle("not-on-this-date-of-service", said, (), rules)


def _held(first: str, last: object) -> str:
    return f"from {first} on" if last is None else f"from {first} to {last}"


def _enrolment(context: MonthContext) -> tuple[EventRef, ...]:
    return refs([context.span.event]) if context.span else ()


def _complex(context: MonthContext) -> Iterator[Obstacle]:
    rule = context.rules.complex
    if rule is None:
        return
    cited = (cite(rule.rule_id, context.month),)
    if not context.mdm_enough:
        yield _decision(context, cited)
    if not plan_serves_complex(context):
        actions = " or ".join(sorted(rule.plan_actions_in_month))
        said = f"No care plan was {actions} in {context.month}, as the month asks."
        yield Obstacle("plan-not-revised", said, refs(_plans_of_month(context)), cited)


def _plans_of_month(context: MonthContext) -> list[Event]:
    return [
        event
        for event in context.chart.care_plans
        if isinstance(event.fact, CarePlanRecorded) and context.holds(event.fact.on)
    ]


def _decision(context: MonthContext, cited: tuple[CitedRule, ...]) -> Obstacle:
    event = context.chart.complexity.get(context.month)
    if event is None:
        said = f"No medical decision making of {context.month} was assessed."
        return Obstacle("mdm-missing", said, (), cited)
    fact = event.fact
    assert isinstance(fact, ComplexityAssessed)
    if context.mdm_by_other:
        said = f"The {fact.mdm} decision making was assessed by {fact.npi}, who does not bill."
        return Obstacle("mdm-not-by-billing-practitioner", said, refs([event]), cited)
    if context.span is None:
        said = "There is no billing practitioner who could have assessed the decision making."
        return Obstacle("mdm-without-practitioner", said, refs([event]), cited)
    assert context.rules.complex is not None
    needed = " or ".join(sorted(context.rules.complex.mdm))
    said = f"The decision making was assessed as {fact.mdm}; {needed} is needed."
    return Obstacle("mdm-too-low", said, refs([event]), cited)
