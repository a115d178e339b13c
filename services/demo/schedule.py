"""Who works with whom, when and for how long: the clinic's past contacts, planned in advance.

The clinic's telephone day runs from 15:00 to 01:00 UTC, which is daytime and early evening in
every zone of the panel, so one calendar date holds for all of them.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.demo.panel import DemoPatient, Trait, at
from services.demo.vocabulary import Data, performer

DAY_SECONDS = 10 * 3600
SHORTEST_SECONDS, LONGEST_SECONDS = 4 * 60, 25 * 60
ACTIVITIES = (
    "care_coordination",
    "medication_reconciliation",
    "patient_education",
    "care_plan_review",
    "referral_follow_up",
    "symptom_check",
)
LEVELS_SECONDS = (1200, 2400, 3600)
OVERLAP_EVERY = 300
"""One contact in so many runs into the same nurse's next patient."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One piece of work; `start` is also its place in the day where it is logged unclocked."""

    patient: DemoPatient
    who: Data
    activity: str
    start: datetime
    seconds: int
    program: str = "ccm"
    clocked: bool = True

    @property
    def on(self) -> date:
        """The date of the work in every zone of the panel."""
        return (self.start - timedelta(hours=8)).date()

    @property
    def counts(self) -> bool:
        """Whether its seconds are CCM seconds at all."""
        return self.program == "ccm" and self.activity != "prior_authorization"


def working_days(first: date, before: date) -> list[date]:
    """Weekdays from `first` up to, not including, `before`."""
    days = (first + timedelta(days=n) for n in range((before - first).days))
    return [day for day in days if day.weekday() < 5]


def target_seconds(rng: random.Random, patient: DemoPatient, running: bool) -> int:
    """A month's care for one patient; in the running month many stop just short of a level."""
    level = rng.choices(LEVELS_SECONDS, (55, 30, 15))[0]
    if patient.trait is Trait.COMPLEX:
        level = 3600
    if running:
        return level - rng.randrange(120, 480)
    return max(300, level + rng.randrange(-500, 700))


def contacts_of_month(
    rng: random.Random, panel: list[DemoPatient], days: list[date], running: bool
) -> Iterator[Contact]:
    """Everything the nurses and practitioners did on these days, day by day."""
    loads: dict[tuple[date, str], list[tuple[DemoPatient, int]]] = defaultdict(list)
    for patient in panel:
        reachable = _days_of(patient, days)
        if not reachable:
            continue
        seconds = target_seconds(rng, patient, running)
        for part in _split(rng, int(seconds * min(1.0, len(reachable) / 6))):
            loads[rng.choice(reachable), patient.nurse].append((patient, part))
    counter = 0
    for (day, nurse), work in sorted(loads.items(), key=lambda load: load[0]):
        for contact in _nurse_day(rng, day, nurse, work, counter):
            counter += 1
            yield contact
    for day in days:
        yield from _practitioner_day(rng, day, panel)


def _days_of(patient: DemoPatient, days: list[date]) -> list[date]:
    last = patient.leaves_on or date.max
    return [day for day in days if patient.enrolled_on <= day <= last]


def _split(rng: random.Random, seconds: int) -> Iterator[int]:
    """Cut a month's care into contacts of believable length."""
    while seconds >= SHORTEST_SECONDS:
        part = min(seconds, rng.randrange(SHORTEST_SECONDS, LONGEST_SECONDS))
        if seconds - part < SHORTEST_SECONDS:
            part = min(seconds, LONGEST_SECONDS)
        yield part
        seconds -= part


def _nurse_day(
    rng: random.Random, day: date, nurse: str, work: list[tuple[DemoPatient, int]], before: int
) -> Iterator[Contact]:
    """One nurse's day in sequence; what no longer fits into it is left undone."""
    clock = rng.randrange(1200)
    for number, (patient, seconds) in enumerate(rng.sample(work, len(work)), start=before):
        if clock + seconds > DAY_SECONDS:
            return
        yield Contact(
            patient,
            performer(nurse, "clinical_staff"),
            "prior_authorization" if rng.random() < 0.03 else rng.choice(ACTIVITIES),
            at(day, 15) + timedelta(seconds=clock),
            seconds,
            "rpm" if rng.random() < 0.03 else "ccm",
            clocked=rng.random() >= 0.06,
        )
        overlaps = number % OVERLAP_EVERY == OVERLAP_EVERY - 1
        clock += seconds + (-100 if overlaps else rng.randrange(60, 900))


def _practitioner_day(rng: random.Random, day: date, panel: list[DemoPatient]) -> Iterator[Contact]:
    """Each practitioner's own CCM time: a few patients at the end of the day."""
    free: dict[str, int] = {}
    for patient in rng.sample(panel, max(2, len(panel) // 60)):
        if not _days_of(patient, [day]):
            continue
        clinician = patient.clinician.id
        clock = free.get(clinician, 6 * 3600 + rng.randrange(1800))
        seconds = rng.randrange(6 * 60, LONGEST_SECONDS)
        who = performer(clinician, "billing_practitioner")
        start = at(day, 15) + timedelta(seconds=clock)
        yield Contact(patient, who, "care_plan_review", start, seconds)
        free[clinician] = clock + seconds + rng.randrange(120, 900)


def joined(contact: Contact) -> Contact:
    """The practitioner on the same call: the same minutes a second time, counted once."""
    late = contact.seconds // 3
    clinician = contact.patient.clinician.id
    return Contact(
        contact.patient,
        performer(clinician, "billing_practitioner"),
        "care_coordination",
        contact.start + timedelta(seconds=late),
        contact.seconds - late,
    )
