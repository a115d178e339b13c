"""Facts that nearly meet a requirement: the first place to look when it is not met."""

from __future__ import annotations

from collections.abc import Callable

from domain.assess.findings import Question
from domain.event import Event
from domain.explain.catalogue import ref
from domain.explain.explanation import Shortfall
from domain.facts import CarePlanRecorded, ConsentRecorded, VisitRecorded
from domain.rules.book import in_force
from domain.rules.requirements import QUALIFYING_VISIT_RULES
from domain.time.calendar import a_year_before, first_day, last_day


def _consents(q: Question) -> list[Shortfall]:
    found = []
    for event in q.chart.consents:
        fact = event.fact
        assert isinstance(fact, ConsentRecorded)
        why = []
        if q.npi is not None and fact.npi != q.npi:
            why.append(f"it is to practitioner {fact.npi}")
        if fact.method not in q.rules.consent_methods:
            why.append(f"it is {fact.method}, and the month asks for written consent")
        if fact.consented_on > last_day(q.month):
            why.append("it came after the month")
        if why:
            said = f"Consent of {fact.consented_on} does not serve: {', '.join(why)}."
            found.append(Shortfall(ref(event), said))
    return found


def _older_consents(q: Question) -> list[Shortfall]:
    found = _consents(q)
    told = {short.event for short in found}
    for event in q.chart.consents:
        if ref(event) in told:
            continue
        assert isinstance(event.fact, ConsentRecorded)
        said = f"Consent of {event.fact.consented_on} was ended by the revocation."
        found.append(Shortfall(ref(event), said))
    return found


def _conditions(q: Question) -> list[Shortfall]:
    first, last = first_day(q.month), last_day(q.month)
    found = []
    for condition in q.chart.conditions:
        why = []
        if not condition.chronic:
            why.append("it is not attested as chronic")
        if condition.onset_on is not None and condition.onset_on > last:
            why.append(f"it began on {condition.onset_on}")
        if condition.resolved_on is not None and condition.resolved_on < first:
            why.append(f"it was resolved on {condition.resolved_on}")
        if why:
            said = f"Condition {condition.code} does not count: {', '.join(why)}."
            found.append(Shortfall(ref(condition.evidence[-1]), said))
    return found


def _care_plans(q: Question) -> list[Shortfall]:
    found = []
    for event in q.chart.care_plans:
        fact = event.fact
        assert isinstance(fact, CarePlanRecorded)
        why = "after the month" if fact.action == "established" else "which establishes none"
        said = f"Care plan {fact.action} on {fact.on}, {why}."
        found.append(Shortfall(ref(event), said))
    return found


def _visits(q: Question) -> list[Shortfall]:
    found = []
    for event in q.chart.visits:
        fact = event.fact
        assert isinstance(fact, VisitRecorded)
        said = f"Visit {fact.hcpcs} on {fact.on} does not serve: {', '.join(_visit_why(q, event))}."
        found.append(Shortfall(ref(event), said))
    return found


def _visit_why(q: Question, event: Event) -> list[str]:
    fact = event.fact
    assert q.span is not None
    assert isinstance(fact, VisitRecorded)
    enrolment = q.span.enrolment
    earliest = a_year_before(enrolment.effective_on)
    rows = in_force(QUALIFYING_VISIT_RULES, fact.on)
    asked = q.rules.visit.discussed_for == "everybody" or enrolment.new_patient
    checks = (
        (fact.npi != q.npi, "it was by another practitioner"),
        (not any(fact.hcpcs in row.codes for row in rows), "its code does not qualify"),
        (asked and not fact.ccm_discussed, "care management was not discussed"),
        (fact.on < earliest, f"it was before {earliest}"),
        (fact.on > last_day(q.month), "it came after the month"),
    )
    return [why for holds, why in checks if holds]


SHORTFALLS: dict[str, Callable[[Question], list[Shortfall]]] = {
    "consent-missing": _consents,
    "consent-revoked": _older_consents,
    "conditions-fewer-than-two": _conditions,
    "care-plan-missing": _care_plans,
    "initiating-visit-missing": _visits,
}
"""By blocker, asked only where the requirement is not met."""
