"""Which events stand behind a reason for not counting time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from domain.assess.context import MonthContext
from domain.assess.findings import accepted_consents, initiating_visits, last_revocation
from domain.entries import Standing
from domain.event import Event
from domain.explain.catalogue import refs
from domain.explain.explanation import EventRef
from domain.facts import Clocked, ServiceBilled, StayRecorded
from domain.time.calendar import last_day

STAY_KINDS = {"inpatient": "inpatient", "snf-part-a": "snf_part_a"}


def evidence_of_exclusion(
    context: MonthContext,
    standing: Standing,
    reason: str,
    days: tuple[date, ...],
    clocked: list[Standing],
) -> tuple[EventRef, ...]:
    """The events that make the reason hold on these days of an entry; the entry's own where the
    reason lies in it, none where it is that no fact exists."""
    if reason == "overlap":
        return refs(each.event for each in overlapping(context, standing, clocked))
    if reason == "after-death":
        assert context.chart.died is not None
        return refs([context.chart.died])
    if reason in STAY_KINDS:
        return refs(_stays(context, STAY_KINDS[reason], days))
    if reason == "tcm-period":
        return refs(_transitions(context, days))
    if reason in ("not-enrolled", "before-consent", "before-initiating-visit"):
        return refs(_of_enrolment(context, reason, days))
    return refs([standing.event])


def overlapping(
    context: MonthContext, standing: Standing, clocked: list[Standing]
) -> list[Standing]:
    """Countable entries that come before this one and share an instant with it."""
    work = standing.work
    found = []
    for other in clocked:
        if other is standing:
            break
        theirs = other.work
        assert isinstance(work, Clocked)
        assert isinstance(theirs, Clocked)
        countable = not other.always_excluded and other.activity not in context.policy.not_countable
        if countable and theirs.started_at < work.ended_at and work.started_at < theirs.ended_at:
            found.append(other)
    return found


def _stays(context: MonthContext, kind: str, days: tuple[date, ...]) -> Iterable[Event]:
    for event in context.chart.stays:
        stay = event.fact
        assert isinstance(stay, StayRecorded)
        until = stay.discharged_on
        covers = any(stay.admitted_on <= day and (not until or day < until) for day in days)
        if stay.kind == kind and covers:
            yield event


def _transitions(context: MonthContext, days: tuple[date, ...]) -> Iterable[Event]:
    codes = {c for r in context.rules.services if r.effect == "tcm-period" for c in r.codes}
    for event in context.chart.services:
        service = event.fact
        assert isinstance(service, ServiceBilled)
        theirs = [day for day in days if _npi_on(context, day) == service.npi]
        covers = any(service.from_on <= day <= service.through_on for day in theirs)
        if service.hcpcs in codes and covers:
            yield event


def _npi_on(context: MonthContext, day: date) -> str:
    span = context.timeline.span_on(day)
    assert span is not None
    return span.enrolment.billing_practitioner.npi


def _of_enrolment(context: MonthContext, reason: str, days: tuple[date, ...]) -> list[Event]:
    """The facts whose dates come too late for these days, with what moved them."""
    found: list[Event] = []
    for day in days:
        span = context.timeline.span_on(day)
        if span is None:
            for each in context.timeline.spans:
                found.append(each.event)
                found.extend([each.ended_by] if each.ended_by else [])
        elif reason == "before-consent":
            npi, until = span.enrolment.billing_practitioner.npi, last_day(context.month)
            found += accepted_consents(context.chart, context.rules, npi, until)
            revoked = last_revocation(context.chart, context.month)
            found.extend([revoked] if revoked else [])
        else:
            found += initiating_visits(context.chart, context.rules, span)
    return found
