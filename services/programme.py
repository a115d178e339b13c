"""Which months a patient spends in the programme, whether or not anything happened in them."""

from __future__ import annotations

from domain.assess import Assessment, assess, assessments
from domain.facts import Instant, Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import RuleBook
from domain.time.calendar import local_date, month_of, months_between


def programme_months(patient: Patient, now: Instant) -> set[Month]:
    """Every month from each enrolment to the current one, the last day in the programme, or the
    patient's death, whichever comes first."""
    chart = patient.chart
    months: set[Month] = set()
    for span in chart.spans:
        ends = [local_date(now, span.enrolment.timezone), span.last, chart.died_on]
        last = min(day for day in ends if day is not None)
        if span.first <= last:
            months.update(months_between(month_of(span.first), month_of(last)))
    return months


def whole_programme(
    patient: Patient, book: RuleBook, policy: Policy, now: Instant
) -> list[Assessment]:
    """Months with a ground to be assessed and all other months in the programme, in order."""
    found = {answer.month: answer for answer in assessments(patient, book, policy)}
    for month in programme_months(patient, now) - found.keys():
        found[month] = assess(patient, month, book, policy)
    return [found[month] for month in sorted(found)]
