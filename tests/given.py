"""Given–when–then: short words for building events. Synthetic patients only.

events = ready("2025-03") + [staff("t1", "2025-03-05", 1200)]
assert then(events, "2025-03").status == "billable"
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from domain import facts as f
from domain.event import Event
from domain.policy import Policy

if TYPE_CHECKING:
    from domain.assess.assessment import Assessment
    from domain.patient import Patient

PRACTICE = "p1"
PATIENT = "pt1"
SOURCE = "urn:test:ehr"
NPI = "1000000004"
OTHER_NPI = "1000000012"
NEW_YORK = "America/New_York"


def day(text: str | date) -> date:
    """A date from `YYYY-MM-DD`."""
    return text if isinstance(text, date) else date.fromisoformat(text)


def instant(text: str) -> int:
    """Whole seconds since the epoch from RFC 3339 with offset."""
    return int(datetime.fromisoformat(text).timestamp())


def five_pm(on: str | date) -> int:
    """17:00Z of a day: the time at which these events are said unless told otherwise."""
    return int(datetime.combine(day(on), time(17), UTC).timestamp())


def event(
    fact: f.Fact,
    at: int | str,
    id: str | None = None,
    source: str = SOURCE,
    patient: str = PATIENT,
    practice: str = PRACTICE,
) -> Event:
    """An event whose digest stands for its whole content and, by default, gives its id."""
    seconds = instant(at) if isinstance(at, str) else at
    content = repr((practice, patient, type(fact).__name__, seconds, fact)).encode()
    digest = hashlib.sha256(content).digest()
    name = digest.hex()[:16] if id is None else id
    return Event(practice, patient, source, name, seconds, fact, digest)


def enrolled(
    on: str | date,
    npi: str = NPI,
    credential: str = "MD",
    timezone: str = NEW_YORK,
    new_patient: bool = False,
) -> Event:
    fact = f.PatientEnrolled(
        day(on), timezone, f.Practitioner(npi, credential), new_patient=new_patient
    )
    return event(fact, five_pm(on))


def consent(on: str | date, npi: str = NPI, method: str = "written") -> Event:
    fact = f.ConsentRecorded(day(on), "verbal" if method == "verbal" else "written", npi)
    return event(fact, five_pm(on))


def visit(on: str | date, hcpcs: str = "99214", npi: str = NPI, discussed: bool = True) -> Event:
    return event(f.VisitRecorded(day(on), hcpcs, npi, discussed), five_pm(on))


def condition(code: str, on: str | date, chronic: bool = True) -> Event:
    return event(f.ConditionRecorded(code, chronic), five_pm(on))


def care_plan(on: str | date) -> Event:
    return event(f.CarePlanRecorded("established", day(on)), five_pm(on))


def ready(month: f.Month) -> list[Event]:
    """A patient with every prerequisite since two months before: no blocker stands."""
    year, number = int(month[:4]), int(month[5:]) - 2
    first = date(year, number, 1) if number > 0 else date(year - 1, number + 12, 1)
    return [
        enrolled(first),
        visit(first),
        consent(first),
        condition("I10", first),
        condition("E11.9", first),
        care_plan(first),
    ]


def unclocked(
    entry_id: str, on: str | date, seconds: int, role: str = "clinical_staff"
) -> f.TimeLogged:
    performer = f.Performer(role[:2], f.Role(role))
    return f.TimeLogged(entry_id, performer, "care_coordination", f.Unclocked(day(on), seconds))


def staff(entry_id: str, on: str | date, seconds: int) -> Event:
    """Unclocked time of clinical staff."""
    return event(unclocked(entry_id, on, seconds), five_pm(on))


def practitioner(entry_id: str, on: str | date, seconds: int) -> Event:
    """Unclocked time of the billing practitioner."""
    return event(unclocked(entry_id, on, seconds, "billing_practitioner"), five_pm(on))


def clocked(
    entry_id: str, start: str, end: str, role: str = "clinical_staff", at: str | None = None
) -> Event:
    """Time with a start and an end, said when it ended unless told otherwise."""
    work = f.Clocked(instant(start), instant(end))
    fact = f.TimeLogged(entry_id, f.Performer(role[:2], f.Role(role)), "care_coordination", work)
    return event(fact, end if at is None else at)


def voided(entry_id: str, at: str) -> Event:
    return event(f.TimeVoided(entry_id, "wrong patient"), at)


def mdm(month: f.Month, level: str = "moderate", npi: str = NPI) -> Event:
    fact = f.ComplexityAssessed(month, "high" if level == "high" else "moderate", npi)
    return event(fact, five_pm(month + "-15"))


def folded(events: Iterable[Event]) -> Patient:
    """The patient after these events, let in one by one as the product does."""
    from domain.patient import Accepted, Patient, decide, evolve

    events = list(events)
    patient = Patient(events[0].practice_id, events[0].patient_id)
    for said in events:
        if isinstance(decide(patient, said), Accepted):
            evolve(patient, said)
    return patient


def then(events: Iterable[Event], month: f.Month, policy: Policy | None = None) -> Assessment:
    """The product's own answer for the month."""
    from domain.assess import assess
    from domain.rules import BOOK

    return assess(folded(events), month, BOOK, policy or Policy())
