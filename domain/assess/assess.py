"""The one pure function that answers: what is this month worth, why, and what is missing?"""

from __future__ import annotations

from domain.assess.assessment import Assessment, Exclusion, Seconds, Status
from domain.assess.counting import Tally
from domain.assess.families import pool_of, priced, select
from domain.assess.reckoning import Reckoning, reckon
from domain.assess.warnings import Examined, warnings
from domain.facts import Month
from domain.patient import Patient, months_known
from domain.policy import Policy
from domain.rules.book import RuleBook


def assess(patient: Patient, month: Month, book: RuleBook, policy: Policy) -> Assessment:
    """Assess one patient-month. Depends on nothing but its arguments: no clock, no order."""
    return answer(patient, reckon(patient, month, book, policy), book)


def answer(patient: Patient, reckoning: Reckoning, book: RuleBook) -> Assessment:
    """The whole answer of a month that was reckoned: with dates, dollars and warnings."""
    context, tally = reckoning.context, reckoning.tally
    earned = priced(context, reckoning.earned, book.fees)
    options = earned
    if reckoning.offered is not reckoning.earned:
        options = priced(context, reckoning.offered, book.fees)
    selected = select(options, context.policy)
    return Assessment(
        practice_id=patient.practice_id,
        patient_id=patient.patient_id,
        month=context.month,
        timezone=context.timezone,
        status=_status(reckoning),
        codes=selected.codes if selected else (),
        family=selected.family if selected else None,
        date_of_service=selected.date_of_service if selected else None,
        payment=selected.payment if selected else None,
        options=options,
        earned=earned,
        seconds=_seconds(tally, context.policy),
        excluded=_exclusions(tally),
        blockers=context.blockers,
        warnings=warnings(Examined(context, tally, reckoning.entries, options, earned)),
        next=reckoning.next,
        rules=context.rules.used,
        as_of=None,
        stream_version=patient.version,
    )


def _seconds(tally: Tally, policy: Policy) -> Seconds:
    return Seconds(
        logged=tally.logged,
        clinical_staff=tally.staff.total,
        practitioner=tally.practitioner.total,
        pooled=pool_of(tally, "pooled", policy).total,
        excluded=tally.excluded_seconds,
    )


def _exclusions(tally: Tally) -> tuple[Exclusion, ...]:
    return tuple(
        Exclusion(entry_id, seconds, reason)
        for (entry_id, reason), seconds in sorted(tally.excluded.items())
    )


def _status(reckoning: Reckoning) -> Status:
    if reckoning.claimed is not None:
        return Status.DIVERGED if reckoning.diverged else Status.CLAIMED
    if reckoning.offered:
        return Status.BILLABLE
    return Status.BLOCKED if reckoning.earned and reckoning.blockers else Status.ACCRUING


def assessments(patient: Patient, book: RuleBook, policy: Policy) -> list[Assessment]:
    """Every month of the patient that has a ground to be assessed, in order."""
    months = (reckon(patient, month, book, policy) for month in sorted(months_known(patient)))
    return [answer(patient, month, book) for month in months if month.has_ground]
