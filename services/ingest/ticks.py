"""Ticks: what our own clock says of a patient, in the form of every other event."""

from __future__ import annotations

from domain.event import Event
from domain.facts import CLOCK_SOURCE, TICK_TYPE, ClockTicked
from domain.patient import Patient
from infra.codec import canonical_json, content_digest, stream_id, utc_text
from projections.boundaries import Passed
from services.wire.decode import Accepted

SECOND_US = 1_000_000


def tick(patient: Patient, passed: Passed) -> Accepted:
    """The tick that the patient's stream has next.

    Its id ends in the version that it gets: two processes that see the same boundary make the
    same event, and a boundary that matters again after a later change is another one.
    """
    practice, name = patient.practice_id, patient.patient_id
    place = f"{stream_id(practice, name)}/{passed.month}/{passed.boundary.value}"
    time_text = utc_text(passed.at * SECOND_US).replace(".000000", "")
    data = canonical_json({"month": passed.month, "boundary": passed.boundary.value})
    event = Event(
        practice_id=practice,
        patient_id=name,
        source=CLOCK_SOURCE,
        id=f"{place}/{patient.version + 1}",
        time=passed.at,
        fact=ClockTicked(passed.month, passed.boundary),
        digest=content_digest(practice, name, TICK_TYPE, time_text, data),
    )
    return Accepted(event, TICK_TYPE, time_text, data)
