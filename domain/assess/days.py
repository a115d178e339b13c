"""Why the time of a day does not count: the reasons that hold for the whole day."""

from __future__ import annotations

from datetime import date

from domain.assess.findings import (
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

STAY_REASONS = {"inpatient": "inpatient", "snf_part_a": "snf-part-a"}


class DayReasons:
    """The first reason that matches a day, in the order of the rules page."""

    def __init__(self, chart: Chart, rules: RuleSet) -> None:
        self._chart = chart
        self._rules = rules
        self._consented_from: dict[date, date | None] = {}
        self._visited_from: dict[date, date | None] = {}

    def of(self, day: date, span: Span | None) -> tuple[str | None, str | None]:
        """(reason, reason left if enrolment, consent and visit were in order); None: it counts."""
        died_on = self._chart.died_on
        if died_on is not None and day > died_on:
            return ("after-death", "after-death")
        lasting = self._stay(day) or (self._transition(day, span) if span else None)
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
        consents = accepted_consents(self._chart, self._rules, npi, last_day(month))
        standing = unrevoked(consents, last_revocation(self._chart, month)) or consents
        return min((_consent_day(event) for event in standing), default=None)

    def _visit_day(self, span: Span) -> date | None:
        if span.first not in self._visited_from:
            visits = initiating_visits(self._chart, self._rules, span)
            self._visited_from[span.first] = visit_day(visits[0]) if visits else None
        return self._visited_from[span.first]

    def _stay(self, day: date) -> str | None:
        found = set()
        for event in self._chart.stays:
            stay = event.fact
            assert isinstance(stay, StayRecorded)
            discharged = stay.discharged_on
            if stay.admitted_on <= day and (discharged is None or day < discharged):
                found.add(stay.kind)
        for kind, reason in STAY_REASONS.items():
            if kind in found:
                return reason
        return None

    def _transition(self, day: date, span: Span) -> str | None:
        npi = span.enrolment.billing_practitioner.npi
        for rule in self._rules.services:
            if rule.effect == "tcm-period" and any(
                _covers(event, rule.codes, npi, day) for event in self._chart.services
            ):
                return "tcm-period"
        return None


def _consent_day(event: Event) -> date:
    assert isinstance(event.fact, ConsentRecorded)
    return event.fact.consented_on


def _covers(event: Event, codes: frozenset[str], npi: str, day: date) -> bool:
    service = event.fact
    assert isinstance(service, ServiceBilled)
    return (
        service.hcpcs in codes
        and service.npi == npi
        and service.from_on <= day <= service.through_on
    )
