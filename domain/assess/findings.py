"""What a month needs, asked one by one: each answer with the events that prove it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from typing import NamedTuple

from domain.chart import Chart
from domain.event import Event
from domain.facts import (
    CarePlanRecorded,
    ConsentRecorded,
    ConsentRevoked,
    Month,
    ServiceBilled,
    VisitRecorded,
)
from domain.rules.book import RuleSet, in_force
from domain.rules.requirements import (
    CONDITION_CATEGORY_LENGTH,
    CONDITIONS_MIN,
    ELIGIBLE_CREDENTIALS,
    QUALIFYING_VISIT_RULES,
)
from domain.rules.services import EM_VISIT_CODES
from domain.time.calendar import a_year_before, first_day, last_day, month_of
from domain.time.timeline import Span


class Finding(NamedTuple):
    """One requirement of a month: met or not, by which rule, on which evidence."""

    blocker: str
    rule_id: str
    met: bool
    evidence: tuple[Event, ...]


class Question(NamedTuple):
    """What every requirement is asked about."""

    chart: Chart
    rules: RuleSet
    span: Span | None
    """The enrolment in force on the last day of the month that has any."""
    consents: list[Event]
    """To its practitioner (to any, where there is none), by the month's end."""
    visits: list[Event]
    """Those that may have initiated it, whenever they were."""

    @classmethod
    def of(cls, chart: Chart, rules: RuleSet, span: Span | None) -> Question:
        """The question about a month of a chart."""
        npi = span.enrolment.billing_practitioner.npi if span else None
        consents = accepted_consents(chart, rules, npi, last_day(rules.month))
        return cls(
            chart, rules, span, consents, initiating_visits(chart, rules, span) if span else []
        )

    @property
    def month(self) -> Month:
        return self.rules.month

    @property
    def npi(self) -> str | None:
        return self.span.enrolment.billing_practitioner.npi if self.span else None


def accepted_consents(chart: Chart, rules: RuleSet, npi: str | None, until: date) -> list[Event]:
    """Consents to this practitioner (any, where None) in a form accepted for the month."""
    found = []
    for event in chart.consents:
        fact = event.fact
        assert isinstance(fact, ConsentRecorded)
        fits = fact.method in rules.consent_methods and fact.consented_on <= until
        if fits and npi in (None, fact.npi):
            found.append(event)
    return found


def _consent_order(event: Event) -> tuple[date, tuple[int, str, str]]:
    fact = event.fact
    assert isinstance(fact, ConsentRecorded | ConsentRevoked)
    day = fact.consented_on if isinstance(fact, ConsentRecorded) else fact.revoked_on
    return (day, event.order)


def revocations_in_effect(chart: Chart, month: Month) -> list[Event]:
    """Revocations of earlier months: one takes effect at the end of its own month."""
    return [e for e in chart.revocations if month_of(_consent_order(e)[0]) < month]


def last_revocation(chart: Chart, month: Month) -> Event | None:
    if not chart.revocations:
        return None
    return max(revocations_in_effect(chart, month), key=_consent_order, default=None)


def unrevoked(consents: Iterable[Event], revocation: Event | None) -> list[Event]:
    """Consents that the revocation did not end, because they came after it."""
    if revocation is None:
        return list(consents)
    ended = _consent_order(revocation)
    return [consent for consent in consents if _consent_order(consent) > ended]


def _enrolment(q: Question) -> Finding:
    evidence = (q.span.event,) if q.span else ()
    return Finding("not-enrolled", "enrolment.in-force", q.span is not None, evidence)


def _consent(q: Question) -> Finding:
    consents = tuple(q.consents)
    return Finding("consent-missing", q.rules.consent.rule_id, bool(consents), consents)


def _revocation(q: Question) -> Finding:
    revocation = last_revocation(q.chart, q.month)
    if revocation is None:
        return Finding("consent-revoked", "consent.revocation", True, ())
    renewed = unrevoked(q.consents, revocation)
    return Finding("consent-revoked", "consent.revocation", bool(renewed), (revocation, *renewed))


def _conditions(q: Question) -> Finding:
    first, last = first_day(q.month), last_day(q.month)
    active = [c for c in q.chart.conditions if c.chronic and c.active_between(first, last)]
    categories = {condition.code[:CONDITION_CATEGORY_LENGTH] for condition in active}
    evidence = tuple([event for condition in active for event in condition.evidence])
    met = len(categories) >= CONDITIONS_MIN
    return Finding("conditions-fewer-than-two", "conditions.two", met, evidence)


def _care_plan(q: Question) -> Finding:
    evidence = []
    for event in q.chart.care_plans:
        fact = event.fact
        assert isinstance(fact, CarePlanRecorded)
        if fact.action == "established" and fact.on <= last_day(q.month):
            evidence.append(event)
    return Finding("care-plan-missing", "care-plan.established", bool(evidence), tuple(evidence))


def initiating_visits(chart: Chart, rules: RuleSet, span: Span) -> list[Event]:
    """Visits that may have initiated this enrolment, whenever they were, in order of the day."""
    npi = span.enrolment.billing_practitioner.npi
    discussed = rules.visit.discussed_for == "everybody" or span.enrolment.new_patient
    earliest = a_year_before(span.enrolment.effective_on)
    found = []
    for event in chart.visits:
        fact = event.fact
        assert isinstance(fact, VisitRecorded)
        discussed_enough = fact.ccm_discussed or not discussed
        if (
            discussed_enough
            and fact.npi == npi
            and fact.on >= earliest
            and _qualifies(fact.hcpcs, fact.on)
        ):
            found.append(event)
    return sorted(found, key=visit_day)


@lru_cache(maxsize=65_536)
def _qualifies(hcpcs: str, on: date) -> bool:
    """Whether a visit of that code and day may initiate care management."""
    return any(hcpcs in row.codes for row in in_force(QUALIFYING_VISIT_RULES, on))


def visit_day(event: Event) -> date:
    assert isinstance(event.fact, VisitRecorded)
    return event.fact.on


def _visit(q: Question) -> Finding:
    last = last_day(q.month)
    evidence = tuple([event for event in q.visits if visit_day(event) <= last])
    return Finding("initiating-visit-missing", q.rules.visit.rule_id, bool(evidence), evidence)


def _credential(q: Question) -> Finding:
    assert q.span is not None
    met = q.span.enrolment.billing_practitioner.credential in ELIGIBLE_CREDENTIALS
    return Finding("provider-not-eligible", "practitioner.credential", met, (q.span.event,))


def services_with_effect(q: Question, effect: str) -> list[tuple[str, Event]]:
    """(rule, event) of services in the month that have this effect for its practitioner."""
    if not q.chart.services:
        return []
    first, last = first_day(q.month), last_day(q.month)
    found = []
    for event in q.chart.services:
        fact = event.fact
        assert isinstance(fact, ServiceBilled)
        if fact.from_on > last or fact.through_on < first:
            continue
        relation = None if q.npi is None else "same" if fact.npi == q.npi else "other"
        for rule in q.rules.services:
            if rule.effect == effect and rule.who in ("any", relation) and fact.hcpcs in rule.codes:
                found.append((rule.rule_id, event))
    return found


def own_visits(q: Question) -> tuple[tuple[date, date], ...]:
    """(first, last day) of office and home visits by the billing practitioner."""
    if q.npi is None:
        return ()
    facts = [event.fact for event in (*q.chart.visits, *q.chart.services)]
    own = []
    for fact in facts:
        assert isinstance(fact, VisitRecorded | ServiceBilled)
        if fact.npi == q.npi and fact.hcpcs in EM_VISIT_CODES:
            own.append(_days_of(fact))
    return tuple(own)


def _days_of(fact: VisitRecorded | ServiceBilled) -> tuple[date, date]:
    if isinstance(fact, VisitRecorded):
        return (fact.on, fact.on)
    return (fact.from_on, fact.through_on)


def _service_finding(q: Question, effect: str, rule_id: str) -> Finding:
    found = services_with_effect(q, effect)
    named = found[0][0] if found else rule_id
    return Finding(effect, named, not found, tuple(event for _, event in found))


def _competing(q: Question) -> Finding:
    return _service_finding(q, "competing-service", "service.home-health-oversight")


def _elsewhere(q: Question) -> Finding:
    return _service_finding(q, "billed-elsewhere", "service.ccm-elsewhere")


ALWAYS_ASKED: tuple[Callable[[Question], Finding], ...] = (
    _enrolment,
    _consent,
    _revocation,
    _conditions,
    _care_plan,
)
ASKED_OF_AN_ENROLMENT: tuple[Callable[[Question], Finding], ...] = (
    *ALWAYS_ASKED,
    _visit,
    _credential,
    _competing,
    _elsewhere,
)


def findings(q: Question) -> tuple[Finding, ...]:
    """Every requirement of the month, answered. Without an enrolment there is no practitioner
    of whom visit, credential and services could be asked."""
    asked = ALWAYS_ASKED if q.span is None else ASKED_OF_AN_ENROLMENT
    return tuple([ask(q) for ask in asked])
