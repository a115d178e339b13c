"""Every warning of the month with the events that give it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from domain.assess.assessment import Option
from domain.assess.context import MonthContext
from domain.assess.counting import CONTEMPORANEOUS_SECONDS, Tally, work_ended_at
from domain.assess.findings import services_with_effect
from domain.assess.warnings import falls_in_month
from domain.entries import Entry, Standing
from domain.event import Event
from domain.explain.catalogue import WARNINGS, cite, cite_in_force, refs
from domain.explain.dollars import amount_line, circumstances
from domain.explain.explanation import CitedRule, Remark
from domain.explain.wording import days, listed
from domain.facts import (
    MonthClaimed,
    ServiceBilled,
    TimeAmended,
    TimeLogged,
    Unclocked,
    VisitRecorded,
)
from domain.fees.schedule import FeeSchedule
from domain.rules.services import EM_VISIT_CODES
from domain.time.calendar import SECONDS_A_DAY, local_date


@dataclass(frozen=True, slots=True)
class Examined:
    """A month with everything that its warnings look at."""

    context: MonthContext
    tally: Tally
    entries: tuple[Entry, ...]
    options: tuple[Option, ...]
    earned: tuple[Option, ...]

    @property
    def standing(self) -> list[Standing]:
        """What stands of each entry, by `entry_id`."""
        found = [entry.standing for entry in self.entries if entry.standing is not None]
        return sorted(found, key=lambda standing: standing.entry_id)


Found = tuple[str, list[Event], list[str]]
"""A sentence, the events that give the warning, the rules it names besides its own."""


def remarks(x: Examined, warnings: tuple[str, ...], fees: FeeSchedule) -> tuple[Remark, ...]:
    """One per warning of the assessment, in its order."""
    return tuple(_remark(x, warning, fees) for warning in warnings)


def _remark(x: Examined, warning: str, fees: FeeSchedule) -> Remark:
    said, events, named = _fee_missing(x, fees) if warning == "fee-missing" else FOUND[warning](x)
    rules = _rules(x, warning, named)
    return Remark(
        warning, f"{WARNINGS[warning].sentence.capitalize()}: {said}.", refs(events), rules
    )


def _rules(x: Examined, warning: str, named: list[str]) -> tuple[CitedRule, ...]:
    month = x.context.month
    if named:
        return tuple(cite(rule_id, month) for rule_id in dict.fromkeys(named))
    return cite_in_force(WARNINGS[warning].rule_ids, month)


def _concurrent(x: Examined) -> Found:
    found = services_with_effect(x.context.question, "concurrent-service")
    events = [event for _, event in found]
    billed = [event.fact.hcpcs for event in events if isinstance(event.fact, ServiceBilled)]
    return listed(sorted(set(billed))), events, [rule_id for rule_id, _ in found]


def _contemporaneity(x: Examined) -> Found:
    late = []
    for standing in x.standing:
        waited = standing.event.time - work_ended_at(x.context, standing.work)
        if waited > CONTEMPORANEOUS_SECONDS and falls_in_month(x.context, standing.work):
            late.append((standing.entry_id, waited // SECONDS_A_DAY, standing.event))
    named = [f"entry {entry_id} after {waited} days" for entry_id, waited, _ in late]
    return listed(named), [event for _, _, event in late], []


def _unclocked(x: Examined) -> Found:
    found = [
        standing
        for standing in x.standing
        if isinstance(standing.work, Unclocked)
        and falls_in_month(x.context, standing.work)
        and (standing.entry_id not in {entry_id for entry_id, _ in x.tally.excluded})
    ]
    ids = [f"entry {standing.entry_id}" for standing in found]
    return listed(ids), [standing.event for standing in found], []


def _mue(x: Examined) -> Found:
    addons = {f.addon.code: f.addon for f in x.context.families if f.addon is not None}
    said, named = [], []
    for option in x.options:
        for line in option.codes:
            limit = addons[line.code].units_warned_above if line.code in addons else None
            if limit is not None and line.units > limit:
                said.append(f"{line.code} x{line.units}, more than {limit}")
                named.append(addons[line.code].rule_id)
    return listed(said), [], named


def _late_after_claim(x: Examined) -> Found:
    claim = x.context.chart.claims[x.context.month]
    assert isinstance(claim.fact, MonthClaimed)
    found = late_after_claim(x.context, x.entries)
    ids = listed(sorted({f"entry {entry_id}" for entry_id, _ in found}))
    said = f"{ids}, claimed on {claim.fact.submitted_on}"
    return said, [claim, *(event for _, event in found)], []


def late_after_claim(context: MonthContext, entries: Collection[Entry]) -> list[tuple[str, Event]]:
    """Time of the month said after the day of the claim that stands, by `entry_id`; none where no
    claim stands."""
    claim = context.chart.claims.get(context.month)
    if claim is None:
        return []
    assert isinstance(claim.fact, MonthClaimed)
    submitted_on = claim.fact.submitted_on
    return [
        (entry.entry_id, event)
        for entry in entries
        if _ever_in_month(context, entry.unwithdrawn)
        for event in entry.unwithdrawn
        if local_date(event.time, context.timezone) > submitted_on
    ]


def _ever_in_month(context: MonthContext, revisions: list[Event]) -> bool:
    facts = [event.fact for event in revisions]
    timed = [fact for fact in facts if isinstance(fact, TimeLogged | TimeAmended)]
    return any(falls_in_month(context, fact.work) for fact in timed)


def _mdm_by_other(x: Examined) -> Found:
    return "complex codes are not offered", [x.context.chart.complexity[x.context.month]], []


def _same_day_visit(x: Examined) -> Found:
    chart, counted = x.context.chart, x.tally.everyone
    said, events = [], []
    for event in (*chart.visits, *chart.services):
        fact = event.fact
        assert isinstance(fact, VisitRecorded | ServiceBilled)
        first, last = (
            (fact.on, fact.on)
            if isinstance(fact, VisitRecorded)
            else (fact.from_on, fact.through_on)
        )
        own = fact.npi == x.context.question.npi and fact.hcpcs in EM_VISIT_CODES
        if own and any(first <= day <= last for day in counted):
            said.append(f"{fact.hcpcs} {days(first, last)}")
            events.append(event)
    return listed(said), events, []


def _fee_missing(x: Examined, fees: FeeSchedule) -> Found:
    missing: dict[str, None] = {}
    span = x.context.span
    assert span is not None
    for option in (*x.options, *x.earned):
        at = circumstances(span.enrolment, option.date_of_service, x.context.policy.qp)
        lines = (amount_line(fees, line, at) for line in option.codes)
        missing.update({line.missing: None for line in lines if line.missing is not None})
    return listed(list(missing)), [], []


FOUND: dict[str, Callable[[Examined], Found]] = {
    "concurrent-service": _concurrent,
    "contemporaneity": _contemporaneity,
    "late-after-claim": _late_after_claim,
    "mdm-not-by-billing-practitioner": _mdm_by_other,
    "mue-exceeded": _mue,
    "same-day-visit": _same_day_visit,
    "unclocked-time": _unclocked,
}
"""How each warning is found again; `fee-missing` asks the fee schedule besides."""
