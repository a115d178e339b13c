"""Why the time of a day does not count: the reasons that hold for the whole day."""

from __future__ import annotations

from datetime import date

from domain.assess.findings import (
    Question,
    accepted_consents,
    initiating_visits,
    last_revocation,
    unrevoked,
    visit_day,
)
from domain.chart import Chart
from domain.event import Event
from domain.facts import ConsentRecorded, ServiceBilled, StayRecorded
from domain.rules.book import RuleSet
from domain.time.calendar import last_day
from domain.time.timeline import Span

Reasons = tuple[str | None, str | None]

STAY_REASONS = {"inpatient": "inpatient", "snf_part_a": "snf-part-a"}


class DayReasons:
    """The first reason that matches a day, in the order of the rules page."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._chart = chart = question.chart
        self._rules = rules = question.rules
        self._stays = [stay for stay in map(_stay_of, chart.stays) if stay.kind in STAY_REASONS]
        self._transitions = _transitions(chart, rules)
        self._found: dict[tuple[date, date | None], Reasons] = {}
        self._consented_from: dict[date, date | None] = {}
        self._visited_from: dict[date, date | None] = {}

    def of(self, day: date, span: Span | None) -> Reasons:
        """(reason, reason left if enrolment, consent and visit were in order); None: it counts."""
        key = (day, span.first if span else None)
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._of(day, span)
        return found

    def ready_from(self, span: Span) -> date | None:
        """The first day from which on every day of the enrolment counts, if there is one."""
        if self._stays or self._transitions or self._chart.died_on is not None:
            return None
        consented_from, visited_from = self._consent_day(span), self._visit_day(span)
        if consented_from is None or visited_from is None:
            return None
        return max(span.first, consented_from, visited_from)

    def _of(self, day: date, span: Span | None) -> Reasons:
        died_on = self._chart.died_on
        if died_on is not None and day > died_on:
            return ("after-death", "after-death")
        lasting = self._stay(day) if self._stays else None
        if lasting is None and self._transitions and span is not None:
            lasting = self._transition(day, span)
        return (self._too_early(day, span) or lasting, lasting)

    def _too_early(self, day: date, span: Span | None) -> str | None:
        if span is None:
            return "not-enrolled"
        consented_from = self._consent_day(span)
        if consented_from is None or day < consented_from:
            return "before-consent"
        visited_from = self._visit_day(span)
        if visited_from is None or day < visited_from:
            return "before-initiating-visit"
        return None

    def _consent_day(self, span: Span) -> date | None:
        if span.first not in self._consented_from:
            self._consented_from[span.first] = self._first_consent(span)
        return self._consented_from[span.first]

    def _first_consent(self, span: Span) -> date | None:
        """First consent that no earlier month's revocation ended; where all were ended the month
        is blocked as revoked, and the first of those tells."""
        npi, month = span.enrolment.billing_practitioner.npi, self._rules.month
        consents = self._question.consents
        if span is not self._question.span:
            consents = accepted_consents(self._chart, self._rules, npi, last_day(month))
        standing = unrevoked(consents, last_revocation(self._chart, month)) or consents
        return min((_consent_day(event) for event in standing), default=None)

    def _visit_day(self, span: Span) -> date | None:
        if span.first not in self._visited_from:
            visits = self._question.visits
            if span is not self._question.span:
                visits = initiating_visits(self._chart, self._rules, span)
            self._visited_from[span.first] = visit_day(visits[0]) if visits else None
        return self._visited_from[span.first]

    def _stay(self, day: date) -> str | None:
        kinds = {stay.kind for stay in self._stays if _stays_on(stay, day)}
        return next((STAY_REASONS[kind] for kind in STAY_REASONS if kind in kinds), None)

    def _transition(self, day: date, span: Span) -> str | None:
        npi = span.enrolment.billing_practitioner.npi
        for service in self._transitions:
            if service.npi == npi and service.from_on <= day <= service.through_on:
                return "tcm-period"
        return None


def _stay_of(event: Event) -> StayRecorded:
    assert isinstance(event.fact, StayRecorded)
    return event.fact


def _stays_on(stay: StayRecorded, day: date) -> bool:
    """The day of discharge is a day at home."""
    return stay.admitted_on <= day and (stay.discharged_on is None or day < stay.discharged_on)


def _transitions(chart: Chart, rules: RuleSet) -> list[ServiceBilled]:
    """Transitional care whose days the month's rules keep to themselves."""
    if not chart.services:
        return []
    codes = {c for rule in rules.services if rule.effect == "tcm-period" for c in rule.codes}
    services = [event.fact for event in chart.services if isinstance(event.fact, ServiceBilled)]
    return [service for service in services if service.hcpcs in codes]


def _consent_day(event: Event) -> date:
    assert isinstance(event.fact, ConsentRecorded)
    return event.fact.consented_on
