"""A simulated clinic: three months of believable care, and today as it happens.

Everything follows from the seed, the day and the size of the panel: equal arguments give equal
bytes. Patients and staff are opaque ids; nobody here exists.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from services.demo.day import Day, Told
from services.demo.ledger import Ledger
from services.demo.panel import ELSEWHERE_NPI, DemoPatient, Saying, Trait, at, baseline, enrol
from services.demo.schedule import Contact, contacts_of_month, joined, working_days
from services.demo.vocabulary import (
    Data,
    Message,
    clocked,
    first_of_month,
    message,
    month_of,
    unclocked,
)

PRACTICE = "clinic-demo"
SOURCE = "/ehr/demo"


class Clinic:
    """The EHR of one practice with `patients` in the programme, seen on the day `today`."""

    def __init__(self, seed: int, today: date, patients: int = 240) -> None:
        """Raises ValueError where the panel is too small to hold every kind of patient."""
        self.seed, self.today = seed, today
        self.ledger = Ledger()
        self._rng = random.Random(seed)
        self._numbers = 0
        self._timed: list[tuple[datetime, Message]] = []
        self.panel = enrol(self._rng, today, patients)
        self._record_charts()
        self._record_care()
        self._record_billing()
        self._timed.sort(key=lambda pair: (pair[0], pair[1]["id"]))

    def history(self) -> Iterator[Message]:
        """Everything said before today, in the order in which the EHR said it."""
        yield from (event for _, event in self._timed)

    def live(self) -> Iterator[Told]:
        """Today's messages as they come, some of them labelled as moments of the story."""
        yield from Day(self.seed, self.today, self.panel, self.ledger, PRACTICE, SOURCE).told()

    def _say(self, patient: DemoPatient, saying: Saying) -> Message:
        time, type, data = saying
        self._numbers += 1
        event = message(
            id=f"h{self.today:%Y%m%d}-{self._numbers:06d}",
            source=SOURCE,
            type=type,
            practice=PRACTICE,
            patient=patient.id,
            time=time,
            data=data,
        )
        self._timed.append((time, event))
        return event

    def _record_charts(self) -> None:
        for patient in self.panel:
            for saying in [*baseline(self._rng, patient), *self._turns(patient)]:
                if saying[0] < at(self.today, 8):
                    self._say(patient, saying)

    def _turns(self, patient: DemoPatient) -> Iterator[Saying]:
        """What sets this patient apart, at the time when the EHR learns of it."""
        second = first_of_month(self.today, back=1)
        day = second + timedelta(days=9)
        if patient.leaves_on and patient.trait is Trait.DIES:
            left = patient.leaves_on
            yield at(left, 23), "patient.died", {"died_on": left.isoformat()}
        elif patient.leaves_on:
            left = patient.leaves_on
            data: Data = {"effective_on": left.isoformat(), "reason": "moved-away"}
            yield at(left, 22), "patient.disenrolled", data
        elif patient.trait is Trait.ADMITTED:
            stay = {"kind": "inpatient", "admitted_on": day.isoformat()}
            stay["discharged_on"] = (day + timedelta(days=6)).isoformat()
            yield at(day + timedelta(days=6), 20), "stay.recorded", stay
        elif patient.trait is Trait.COMPETING:
            yield at(day, 18), "service.billed", _service("G0181", day, patient.clinician.npi)
        elif patient.trait is Trait.ELSEWHERE:
            yield at(day, 18), "service.billed", _service("99490", day, ELSEWHERE_NPI)
        elif patient.trait is Trait.COMPLEX:
            yield from self._complexity(patient)

    def _complexity(self, patient: DemoPatient) -> Iterator[Saying]:
        for back in (2, 1, 0):
            first = first_of_month(self.today, back)
            data = {"month": month_of(first), "mdm": "moderate", "npi": patient.clinician.npi}
            yield at(first + timedelta(days=11), 21), "complexity.assessed", data

    def _record_care(self) -> None:
        for back in (2, 1, 0):
            first = first_of_month(self.today, back)
            before = self.today if back == 0 else first_of_month(self.today, back - 1)
            days = working_days(first, before)
            for contact in contacts_of_month(self._rng, self.panel, days, running=back == 0):
                self._record(contact)

    def _record(self, contact: Contact) -> None:
        rng, end = self._rng, contact.start + timedelta(seconds=contact.seconds)
        self.ledger.add(contact)
        event = self._say(
            contact.patient,
            (end + timedelta(seconds=rng.randrange(20, 1800)), "time.logged", self._entry(contact)),
        )
        fate = rng.random()
        if fate < 0.01:
            self._timed.append((end + timedelta(hours=2), event))
        elif fate < 0.025:
            self.ledger.doubt(contact)
            self._say(contact.patient, self._correction(contact, event, voided=fate < 0.015))
        elif fate < 0.035 and contact.clocked and contact.seconds > 600:
            self.ledger.doubt(contact)
            second = joined(contact)
            time = end + timedelta(minutes=12)
            self._say(contact.patient, (time, "time.logged", self._entry(second)))

    def _entry(self, contact: Contact) -> Data:
        entry_id = f"t{self.today:%Y%m%d}-{self._numbers + 1:06d}"
        who, activity, program = contact.who, contact.activity, contact.program
        if contact.clocked:
            return clocked(entry_id, who, activity, contact.start, contact.seconds, program)
        return unclocked(entry_id, who, activity, contact.on, contact.seconds, program)

    def _correction(self, contact: Contact, event: Message, voided: bool) -> Saying:
        """Within three hours of the work: the entry withdrawn, or halved."""
        time = contact.start + timedelta(seconds=contact.seconds, hours=1 + self._rng.random() * 2)
        entry: Data = event["data"]
        if voided:
            return time, "time.voided", {"entry_id": entry["entry_id"], "reason": "wrong-patient"}
        half = contact.seconds // 2
        anew = dict(entry, reason="wrong-length")
        if contact.clocked:
            again = clocked("", contact.who, contact.activity, contact.start, half)
            anew["ended_at"] = again["ended_at"]
        else:
            anew["seconds"] = half
        return time, "time.amended", anew

    def _record_billing(self) -> None:
        """The month before last has been claimed wherever its sum is beyond doubt."""
        first = first_of_month(self.today, back=2)
        month, submitted = month_of(first), first_of_month(self.today, back=1) + timedelta(days=4)
        for patient in self.panel:
            if codes := self.ledger.codes(patient, month):
                claim_id = f"cl-{patient.id}-{month}"
                data: Data = {"month": month, "codes": codes, "claim_id": claim_id}
                data["submitted_on"] = submitted.isoformat()
                self._say(patient, (at(submitted, 20), "month.claimed", data))


def _service(hcpcs: str, on: date, npi: str) -> Data:
    day = on.isoformat()
    return {"hcpcs": hcpcs, "from": day, "through": day, "npi": npi}
