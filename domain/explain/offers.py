"""Every option of the month in dollars: its lines, the work behind them, its date."""

from __future__ import annotations

from domain.assess.assessment import Assessment, Option
from domain.assess.context import MonthContext
from domain.event import Event
from domain.explain.catalogue import cite, refs
from domain.explain.dollars import amount_line, circumstances
from domain.explain.explanation import CitedRule, OptionAccount
from domain.explain.wording import codes
from domain.facts import CarePlanRecorded, CodeUnits
from domain.fees.schedule import FeeSchedule
from domain.rules.codes import Family


def option_accounts(
    context: MonthContext, answer: Assessment, fees: FeeSchedule
) -> tuple[OptionAccount, ...]:
    """Legal options first, then what would be offered if nothing blocked, where that is more."""
    legal = tuple(_account(context, answer, fees, option, True) for option in answer.options)
    further = [option for option in answer.earned if option not in answer.options]
    return (*legal, *(_account(context, answer, fees, option, False) for option in further))


def _account(
    context: MonthContext, answer: Assessment, fees: FeeSchedule, option: Option, legal: bool
) -> OptionAccount:
    span, on = context.span, option.date_of_service
    at = circumstances(span.enrolment, on, context.policy.qp) if span else None
    return OptionAccount(
        family=option.family,
        legal=legal,
        selected=legal and option.family is answer.family,
        codes=option.codes,
        date_of_service=on,
        date_sentence=_date_sentence(context, option.codes),
        payment=option.payment,
        lines=tuple(amount_line(fees, line, at) for line in option.codes),
        evidence=refs(_of_complex(context)) if option.family is Family.COMPLEX else (),
        rules=_rules(context, option),
    )


def _date_sentence(context: MonthContext, lines: tuple[CodeUnits, ...]) -> str:
    if context.policy.date_of_service == "month-end":
        return "the last day of the month, as the practice's policy says"
    last = CodeUnits(lines[-1].code, lines[-1].units)
    return f"the day on which the last threshold was reached ({codes([last])})"


def _of_complex(context: MonthContext) -> list[Event]:
    """The decision making, and the plans that were worked on where the month asks for it."""
    rule, judged = context.rules.complex, context.chart.complexity[context.month]
    assert rule is not None
    plans = [
        event
        for event in context.chart.care_plans
        if isinstance(event.fact, CarePlanRecorded)
        and event.fact.action in rule.plan_actions_in_month
        and context.holds(event.fact.on)
    ]
    return [judged, *plans]


def _rules(context: MonthContext, option: Option) -> tuple[CitedRule, ...]:
    family = next(each for each in context.families if each.rule.family is option.family)
    rows = {row.code: row.rule_id for row in (family.base, family.addon) if row is not None}
    named = [family.rule.rule_id, *(rows[line.code] for line in option.codes)]
    if option.family is Family.COMPLEX and context.rules.complex is not None:
        named.append(context.rules.complex.rule_id)
    named += ["claim.date", "family.one-a-month", "fee.official-figures"]
    return tuple(cite(rule_id, context.month) for rule_id in named)
