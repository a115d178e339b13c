"""The facts that would lift a blocker or let excluded time count, by what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from domain.assess.context import MonthContext
from domain.assess.findings import services_with_effect
from domain.explain.wording import listed
from domain.facts import (
    CarePlanRecorded,
    ConditionRecorded,
    ConsentRecorded,
    EventRetracted,
    Fact,
    PatientEnrolled,
    Practitioner,
    ServiceBilled,
    StayRecorded,
    VisitRecorded,
)
from domain.rules.requirements import CONDITION_CATEGORY_LENGTH, CONDITIONS_MIN
from domain.time.calendar import first_day, last_day

EXAMPLE_CONDITIONS = ("I10", "E11.9", "J44.9", "N18.30")
"""Stand for whatever conditions a clinician would attest; more than ever are needed."""


@dataclass(frozen=True, slots=True)
class Repair:
    """Facts that would help. `words` may name `{by}`; `facts` takes the day they would bear."""

    kind: str
    words: str
    facts: Callable[[date], list[Fact]]
    dated: bool = True


def _consent(context: MonthContext) -> Iterator[Repair]:
    npi = context.question.npi
    if npi is None:
        return
    forms = " or ".join(sorted(context.rules.consent_methods))
    words = f"a {forms} consent to practitioner {npi} dated on or before {{by}}"
    yield Repair("record-consent", words, lambda day: [ConsentRecorded(day, "written", npi)])


def _visit(context: MonthContext) -> Iterator[Repair]:
    npi = context.question.npi
    if npi is None:
        return
    words = (
        f"a qualifying visit by practitioner {npi} on or before {{by}} "
        "at which care management was discussed"
    )
    yield Repair("record-visit", words, lambda day: [VisitRecorded(day, "99214", npi, True)])


def _care_plan(_: MonthContext) -> Iterator[Repair]:
    words = "a care plan established on or before {by}"
    yield Repair("record-care-plan", words, lambda day: [CarePlanRecorded("established", day)])


def _conditions(context: MonthContext) -> Iterator[Repair]:
    first, last = first_day(context.month), last_day(context.month)
    active = [c for c in context.chart.conditions if c.active_between(first, last)]
    have = {c.code[:CONDITION_CATEGORY_LENGTH] for c in active if c.chronic}
    need = CONDITIONS_MIN - len(have)
    known = {c.code[:CONDITION_CATEGORY_LENGTH]: c.code for c in active if not c.chronic}
    recorded = [code for category, code in sorted(known.items()) if category not in have][:need]
    taken = have | {code[:CONDITION_CATEGORY_LENGTH] for code in recorded}
    free = [c for c in EXAMPLE_CONDITIONS if c[:CONDITION_CATEGORY_LENGTH] not in taken]
    chosen = recorded + free[: need - len(recorded)]
    facts: list[Fact] = [ConditionRecorded(code, True) for code in chosen]
    yield Repair("attest-condition", _attesting(have, need, recorded), lambda _: facts, False)


def _attesting(have: set[str], need: int, recorded: list[str]) -> str:
    if len(recorded) == need:
        return f"attesting {' and '.join(recorded)} as chronic"
    count = "a second condition" if need == 1 else "two conditions"
    other = f" of another category than {listed(sorted(have))}" if have else " of two categories"
    more = f", such as {recorded[0]} which is recorded" if recorded else ""
    return f"{count} attested as chronic,{other}{more}"


def _credential(context: MonthContext) -> Iterator[Repair]:
    if context.span is None:
        return
    enrolment = context.span.enrolment
    who = replace(enrolment.billing_practitioner, credential="MD")
    facts: list[Fact] = [replace(enrolment, billing_practitioner=who)]
    words = "an enrolment whose practitioner has a credential that may bill (supposed: MD)"
    yield Repair("correct-credential", words, lambda _: facts, False)


def _services(effect: str, context: MonthContext) -> Iterator[Repair]:
    events = {e.key: e for _, e in services_with_effect(context.question, effect)}.values()
    billed = sorted({e.fact.hcpcs for e in events if isinstance(e.fact, ServiceBilled)})
    facts: list[Fact] = [EventRetracted(e.source, e.id, "what-if") for e in events]
    words = f"withdrawing the conflicting service {listed(billed)}, if it was an error"
    yield Repair("withdraw-service", words, lambda _: facts, False)


def _enrolment(context: MonthContext) -> Iterator[Repair]:
    """The nearest enrolment known, begun in time; without any, one with the known practitioner."""
    known = _nearest_enrolment(context)
    if known is None:
        return
    npi = known.billing_practitioner.npi
    words = f"an enrolment with practitioner {npi} effective on or before {{by}}"
    yield Repair("record-enrolment", words, lambda day: [replace(known, effective_on=day)])


def _nearest_enrolment(context: MonthContext) -> PatientEnrolled | None:
    spans, first = context.timeline.spans, first_day(context.month)
    if spans:
        before = [span for span in spans if span.first <= first]
        return (before[-1] if before else spans[0]).enrolment
    facts = [event.fact for event in (*context.chart.consents, *context.chart.visits)]
    npis = {f.npi for f in facts if isinstance(f, ConsentRecorded | VisitRecorded)}
    if len(npis) != 1:
        return None
    return PatientEnrolled(first, context.timezone, Practitioner(npis.pop(), "MD"))


def _discharges(kind: str, context: MonthContext) -> Iterator[Repair]:
    for event in context.chart.stays:
        stay = event.fact
        assert isinstance(stay, StayRecorded)
        if stay.kind == kind and stay.discharged_on is None:
            yield _discharge(stay)


def _discharge(stay: StayRecorded) -> Repair:
    def facts(day: date) -> list[Fact]:
        return [replace(stay, discharged_on=max(day, stay.admitted_on))]

    words = f"a discharge on or before {{by}} from the open stay of {stay.admitted_on}"
    return Repair("record-discharge", words, facts)


OF_BLOCKER: dict[str, Callable[[MonthContext], Iterator[Repair]]] = {
    "not-enrolled": _enrolment,
    "consent-missing": _consent,
    "consent-revoked": _consent,
    "conditions-fewer-than-two": _conditions,
    "care-plan-missing": _care_plan,
    "initiating-visit-missing": _visit,
    "provider-not-eligible": _credential,
    "competing-service": partial(_services, "competing-service"),
    "billed-elsewhere": partial(_services, "billed-elsewhere"),
}
OF_EXCLUSION: dict[str, Callable[[MonthContext], Iterator[Repair]]] = {
    "not-enrolled": _enrolment,
    "before-consent": _consent,
    "before-initiating-visit": _visit,
    "inpatient": partial(_discharges, "inpatient"),
    "snf-part-a": partial(_discharges, "snf_part_a"),
}
"""Where time is excluded though nothing blocks: what, dated earlier, would let it count."""
