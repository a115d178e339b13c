"""Who is enrolled where and when: whom the passing of time can concern.

A read model of enrolments alone, written with the events that change them. It answers with more
patients rather than fewer: whether time changed anything is decided from the patient's facts.
"""

from __future__ import annotations

from typing import Protocol

from domain.patient import Patient
from domain.time.calendar import month_of
from projections.ports import FOREVER, EnrolledMonths


def enrolled_months(patient: Patient) -> list[EnrolledMonths]:
    """The months of every enrolment of the patient, in order of zone and time."""
    last_of: dict[tuple[str, str], str] = {}
    for span in patient.chart.spans:
        place = (span.enrolment.timezone, month_of(span.first))
        last = FOREVER if span.last is None else month_of(span.last)
        last_of[place] = max(last, last_of.get(place, last))
    return [EnrolledMonths(*place, last) for place, last in sorted(last_of.items())]


class EnrolledPatients(Protocol):
    """Patients by practice and time zone, in order of stream id. Safe for several threads."""

    def zones(self) -> list[tuple[str, str]]:
        """Each practice with each time zone it has ever had a patient enrolled in."""

    def short_in(self, practice: str, zone: str, month: str, after: str, limit: int) -> list[str]:
        """Streams beyond `after` of patients enrolled in the month who have earned nothing in it
        and do not stand at risk already."""

    def watched_in(self, practice: str, zone: str, month: str, after: str, limit: int) -> list[str]:
        """Streams beyond `after` of patients enrolled in the month of whom an alert stands raised
        that the month's end resolves."""

    def unknown(self, after: str, limit: int) -> list[str]:
        """Streams beyond `after` of which no enrolment is noted here."""
