"""The one pure function that answers: what is this month worth, why, and what is missing?"""

from __future__ import annotations

from collections.abc import Iterable

from domain.assess.assessment import (
    Assessment,
    Exclusion,
    Option,
    Seconds,
    Status,
)
from domain.assess.context import MonthContext, month_context
from domain.assess.counting import Tally, count, standing_entries
from domain.assess.families import next_thresholds, offers, pool_of, select
from domain.assess.warnings import Examined, warnings
from domain.entries import Entry
from domain.facts import CodeUnits, Month, MonthClaimed
from domain.patient import Patient, months_known
from domain.policy import Policy
from domain.rules.book import RuleBook

LIFTED_IN_EARNED = frozenset({"not-enrolled", "before-consent", "before-initiating-visit"})
"""Exclusions that `earned` leaves aside."""


def assess(patient: Patient, month: Month, book: RuleBook, policy: Policy) -> Assessment:
    """Assess one patient-month. Depends on nothing but its arguments: no clock, no order."""
    context = month_context(patient, month, book, policy)
    entries = patient.entries_of_month.get(month, {}).values()
    clocked, unclocked = standing_entries(entries)
    tally = count(context, clocked, unclocked)
    lifted = tally
    if any(reason in LIFTED_IN_EARNED for _, reason in tally.excluded):
        lifted = count(context, clocked, unclocked, lasting=True)
    earned = offers(context, lifted, book.fees)
    options = _options(context, tally, lifted, earned, book)
    examined = Examined(context, tally, entries, (*clocked, *unclocked), options, earned)
    return _answer(patient, examined, select(options, policy))


def _options(
    context: MonthContext,
    tally: Tally,
    lifted: Tally,
    earned: tuple[Option, ...],
    book: RuleBook,
) -> tuple[Option, ...]:
    if context.blockers:
        return ()
    return earned if lifted is tally else offers(context, tally, book.fees)


def _answer(patient: Patient, x: Examined, selected: Option | None) -> Assessment:
    context = x.context
    return Assessment(
        practice_id=patient.practice_id,
        patient_id=patient.patient_id,
        month=context.month,
        timezone=context.timezone,
        status=_status(context, x.options, x.earned),
        codes=selected.codes if selected else (),
        family=selected.family if selected else None,
        date_of_service=selected.date_of_service if selected else None,
        payment=selected.payment if selected else None,
        options=x.options,
        earned=x.earned,
        seconds=_seconds(x.tally, context.policy),
        excluded=_exclusions(x.tally),
        blockers=context.blockers,
        warnings=warnings(x),
        next=next_thresholds(context, x.tally),
        rules=context.rules.used,
        as_of=None,
        stream_version=patient.version,
    )


def _seconds(tally: Tally, policy: Policy) -> Seconds:
    return Seconds(
        logged=tally.logged,
        clinical_staff=sum(tally.staff.values()),
        practitioner=sum(tally.practitioner.values()),
        pooled=sum(pool_of(tally, "pooled", policy).values()),
        excluded=tally.excluded_seconds,
    )


def _exclusions(tally: Tally) -> tuple[Exclusion, ...]:
    return tuple(
        Exclusion(entry_id, seconds, reason)
        for (entry_id, reason), seconds in sorted(tally.excluded.items())
    )


def _status(
    context: MonthContext, options: tuple[Option, ...], earned: tuple[Option, ...]
) -> Status:
    claim = context.chart.claims.get(context.month)
    if claim is not None:
        assert isinstance(claim.fact, MonthClaimed)
        claimed = units_by_code(claim.fact.codes)
        supported = any(units_by_code(option.codes) == claimed for option in options)
        return Status.CLAIMED if supported else Status.DIVERGED
    if options:
        return Status.BILLABLE
    return Status.BLOCKED if earned and context.blockers else Status.ACCRUING


def units_by_code(codes: Iterable[CodeUnits]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in codes:
        units[line.code] = units.get(line.code, 0) + line.units
    return units


def has_ground(patient: Patient, assessment: Assessment) -> bool:
    """Whether the month has an assessment of its own: a logged second, a claim, or an MDM."""
    chart = patient.chart
    month = assessment.month
    return bool(assessment.seconds.logged) or month in chart.claims or month in chart.complexity


def assessments(patient: Patient, book: RuleBook, policy: Policy) -> list[Assessment]:
    """Every month of the patient that has a ground to be assessed, in order."""
    answers = (assess(patient, month, book, policy) for month in sorted(months_known(patient)))
    return [answer for answer in answers if has_ground(patient, answer)]


def entries_of(patient: Patient, month: Month) -> list[Entry]:
    return list(patient.entries_of_month.get(month, {}).values())
