"""The clinic's people: who is in the programme, who cares for them, and what each one lacks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from services.demo.vocabulary import Data, first_of_month

NURSES = ("rn-ada", "rn-bea", "rn-cyd", "rn-dov")
ZONES = (
    ("America/New_York", 40),
    ("America/Chicago", 30),
    ("America/Los_Angeles", 15),
    ("America/Denver", 10),
    ("America/Phoenix", 5),
)
CONDITIONS = ("I10", "E11.9", "E78.5", "J44.9", "I50.22", "N18.31", "M17.0", "F33.1", "I48.91")
LEAST_PATIENTS = 60


@dataclass(frozen=True, slots=True)
class Clinician:
    """A billing practitioner; `id` is the performer id of the time entries."""

    id: str
    npi: str
    credential: str


CLINICIANS = (Clinician("md-fox", "1000000004", "MD"), Clinician("np-gray", "1000000012", "NP"))
ELSEWHERE_NPI = "1000000020"
"""A practitioner of another practice, who bills for some of the same patients."""


class Trait(StrEnum):
    """What is special about a patient; most are plain."""

    PLAIN = "plain"
    NO_CONSENT = "no-consent"
    NO_PLAN = "no-plan"
    ONE_CONDITION = "one-condition"
    NO_VISIT = "no-visit"
    RURAL = "rural"
    COMPLEX = "complex"
    NEWCOMER = "newcomer"
    DIES = "dies"
    LEAVES = "leaves"
    ADMITTED = "admitted"
    COMPETING = "competing"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """One simulated patient, known by an opaque id only."""

    id: str
    zone: str
    nurse: str
    clinician: Clinician
    trait: Trait
    enrolled_on: date
    conditions: tuple[str, ...]

    @property
    def leaves_on(self) -> date | None:
        """The last day in the programme, where it is over."""
        if self.trait not in (Trait.DIES, Trait.LEAVES):
            return None
        return first_of_month(self.enrolled_on, back=-1) + timedelta(days=18)


def _traits(patients: int) -> list[Trait]:
    """Every trait occurs, in shares that a practice would recognise."""
    shares = {
        Trait.NO_CONSENT: max(4, patients // 20),
        Trait.NO_PLAN: max(2, patients // 30),
        Trait.ONE_CONDITION: max(1, patients // 80),
        Trait.NO_VISIT: max(1, patients // 80),
        Trait.COMPLEX: max(4, patients // 15),
        Trait.NEWCOMER: max(2, patients // 16),
        Trait.RURAL: 2,
        Trait.ADMITTED: 2,
    }
    once = (Trait.DIES, Trait.LEAVES, Trait.COMPETING, Trait.ELSEWHERE)
    special = [trait for trait, count in shares.items() for _ in range(count)] + list(once)
    return special + [Trait.PLAIN] * (patients - len(special))


def enrol(rng: random.Random, today: date, patients: int) -> list[DemoPatient]:
    """The panel on the day: enrolled two months ago, newcomers in the middle of last month."""
    if patients < LEAST_PATIENTS:
        raise ValueError(f"patients: expected {LEAST_PATIENTS} or more, got {patients}")
    traits = _traits(patients)
    rng.shuffle(traits)
    return [_patient(rng, today, n, trait) for n, trait in enumerate(traits, start=1)]


def _patient(rng: random.Random, today: date, number: int, trait: Trait) -> DemoPatient:
    start = first_of_month(today, back=2)
    if trait is Trait.NEWCOMER:
        start = first_of_month(today, back=1) + timedelta(days=rng.randrange(5, 20))
    count = 1 if trait is Trait.ONE_CONDITION else rng.choice((2, 2, 3, 4))
    return DemoPatient(
        id=f"pt-{number:04d}",
        zone=rng.choices([zone for zone, _ in ZONES], [share for _, share in ZONES])[0],
        nurse=NURSES[number % len(NURSES)],
        clinician=CLINICIANS[rng.random() < 0.3],
        trait=trait,
        enrolled_on=start,
        conditions=tuple(rng.sample(CONDITIONS, count)),
    )


Saying = tuple[datetime, str, Data]
"""When, which type (without version), with which data."""


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A UTC instant of the day; US office hours run from 15:00 to 01:00 UTC."""
    return datetime.combine(day, time(hour, minute), UTC)


def baseline(rng: random.Random, patient: DemoPatient) -> Iterator[Saying]:
    """What a chart holds before the first minute is logged."""
    day, npi = patient.enrolled_on, patient.clinician.npi
    visit_on = day - timedelta(days=rng.randrange(5, 200))
    noon = at(day, 14, rng.randrange(60))
    if patient.trait is not Trait.NO_VISIT:
        visit = {"on": visit_on.isoformat(), "hcpcs": "99214", "npi": npi, "ccm_discussed": True}
        yield at(visit_on, 20, rng.randrange(60)), "visit.recorded", visit
    yield noon, "patient.enrolled", _enrolment(patient)
    for code in patient.conditions:
        onset = day - timedelta(days=rng.randrange(300, 3000))
        data: Data = {"code": code, "chronic": True, "onset_on": onset.isoformat()}
        yield noon + timedelta(minutes=1), "condition.recorded", data
    if patient.trait is not Trait.NO_CONSENT:
        method = rng.choice(("verbal", "verbal", "written"))
        yield noon + timedelta(minutes=2), "consent.recorded", consent(patient, method)
    if patient.trait is not Trait.NO_PLAN:
        plan = {"action": "established", "on": day.isoformat(), "document": f"plan-{patient.id}"}
        yield noon + timedelta(minutes=3), "care_plan.recorded", plan


def consent(patient: DemoPatient, method: str) -> Data:
    """A consent given on the day of enrolment, whenever it is recorded."""
    on = patient.enrolled_on.isoformat()
    return {"consented_on": on, "method": method, "npi": patient.clinician.npi}


def _enrolment(patient: DemoPatient) -> Data:
    clinician = patient.clinician
    data: dict[str, Any] = {
        "effective_on": patient.enrolled_on.isoformat(),
        "timezone": patient.zone,
        "billing_practitioner": {"npi": clinician.npi, "credential": clinician.credential},
    }
    return data | ({"provider_kind": "rhc"} if patient.trait is Trait.RURAL else {})
