"""Today at the clinic: an ordered stream of small contacts with the story's moments in it."""

from __future__ import annotations

import copy
import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from services.demo.ledger import Ledger
from services.demo.panel import NURSES, DemoPatient, Trait, at, consent
from services.demo.schedule import ACTIVITIES, DAY_SECONDS, LEVELS_SECONDS, Contact
from services.demo.vocabulary import (
    Data,
    Message,
    clocked,
    first_of_month,
    message,
    month_of,
    performer,
    unclocked,
)


class Moment(StrEnum):
    """What a demo may want to announce about a message."""

    LATE_CORRECTION = "late_correction"
    DUPLICATE = "duplicate"
    BAD_EVENT = "bad_event"
    LATE_FACT = "late_fact"


SCRIPT = (
    (18, Moment.LATE_CORRECTION),
    (30, Moment.DUPLICATE),
    (42, Moment.BAD_EVENT),
    (54, Moment.LATE_FACT),
)
"""After how many contacts a moment is due for the first time."""
SCRIPT_EVERY = 90
"""Contacts after which the script begins again."""
RESTED = 3
"""How many others a nurse speaks to before the same patient again."""


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the stream; `moment` is the label beside it, None for ordinary work."""

    event: Message
    moment: Moment | None = None


class Day:
    """One working day, said in small increments until every patient has an hour of the month.

    Four nurses work in parallel, each on whoever of their panel stands nearest to a level; after
    hours they write up what they did without the clock (unclocked entries of the same date).
    """

    def __init__(
        self,
        seed: int,
        today: date,
        panel: list[DemoPatient],
        ledger: Ledger,
        practice: str,
        source: str,
    ) -> None:
        self._rng = random.Random(seed)
        self._today, self._month = today, month_of(today)
        self._ledger = copy.deepcopy(ledger)
        self._practice, self._source = practice, source
        self._rounds = {nurse: _present(panel, nurse, today) for nurse in NURSES}
        self._recent: dict[str, deque[str]] = {nurse: deque(maxlen=RESTED) for nurse in NURSES}
        opening = at(today, 15)
        self._free = {n: opening + timedelta(seconds=self._rng.randrange(90)) for n in NURSES}
        self._closing = opening + timedelta(seconds=DAY_SECONDS)
        self._waiting = _consents_to_come(panel, self._ledger, today)
        self._reached: list[tuple[Contact, Message]] = []
        self._said = 0
        self._clock = opening

    def told(self) -> Iterator[Told]:
        """The stream, in the order of the day."""
        due: list[Moment] = []
        last: Message | None = None
        for contacts, contact in enumerate(self._contacts(), start=1):
            last = self._log(contact)
            yield Told(last)
            due.extend(moment for n, moment in SCRIPT if (contacts - n) % SCRIPT_EVERY == 0)
            for moment in due:
                if event := self._stage(moment, last):
                    due.remove(moment)
                    yield Told(event, moment)
                    break

    def _contacts(self) -> Iterator[Contact]:
        while self._free:
            nurse = min(self._free, key=lambda name: (self._free[name], name))
            patient = self._choose(nurse)
            start, seconds = self._free[nurse], self._rng.randrange(150, 540)
            if patient is None or start + timedelta(seconds=seconds) > self._closing:
                del self._free[nurse]
                continue
            pause = self._rng.randrange(20, 120)
            self._free[nurse] = start + timedelta(seconds=seconds + pause)
            yield self._contact(nurse, patient, start, seconds, clocked=True)
        yield from self._after_hours()

    def _after_hours(self) -> Iterator[Contact]:
        nurses = deque(NURSES)
        while nurses:
            nurse = nurses[0]
            nurses.rotate(-1)
            patient = self._choose(nurse)
            if patient is None:
                nurses.remove(nurse)
                continue
            seconds = self._rng.randrange(120, 480)
            yield self._contact(nurse, patient, self._closing, seconds, clocked=False)

    def _contact(
        self, nurse: str, patient: DemoPatient, start: datetime, seconds: int, clocked: bool
    ) -> Contact:
        who = performer(nurse, "clinical_staff")
        activity = self._rng.choice(ACTIVITIES)
        return Contact(patient, who, activity, start, seconds, clocked=clocked)

    def _choose(self, nurse: str) -> DemoPatient | None:
        """One of those nearest to a level, not among those just spoken to; None when done."""
        open_cases = [p for p in self._rounds[nurse] if self._to_go(p) is not None]
        rested = [p for p in open_cases if p.id not in self._recent[nurse]] or open_cases
        if not rested:
            return None
        rested.sort(key=lambda p: (self._to_go(p) or 0, p.id))
        patient = self._rng.choice(rested[:RESTED])
        self._recent[nurse].append(patient.id)
        return patient

    def _to_go(self, patient: DemoPatient) -> int | None:
        total = self._ledger.total(patient, self._month)
        return next((level - total for level in LEVELS_SECONDS if level > total), None)

    def _log(self, contact: Contact) -> Message:
        patient, month = contact.patient, self._month
        before = self._ledger.total(patient, month)
        self._ledger.add(contact)
        event = self._say(patient, "time.logged", self._entry(contact), _end(contact))
        crossed = before < LEVELS_SECONDS[0] <= before + contact.seconds
        if crossed and self._ledger.is_clean(patient, month):
            self._reached.append((contact, event))
        return event

    def _entry(self, contact: Contact) -> Data:
        entry_id = f"t-live{self._today:%Y%m%d}-{self._said + 1:05d}"
        if not contact.clocked:
            on, seconds = self._today, contact.seconds
            return unclocked(entry_id, contact.who, contact.activity, on, seconds)
        return clocked(entry_id, contact.who, contact.activity, contact.start, contact.seconds)

    def _say(self, patient: DemoPatient, type: str, data: Data, not_before: datetime) -> Message:
        """The next message; the EHR's own clock never goes back."""
        self._said += 1
        pause = timedelta(seconds=self._rng.randrange(1, 9))
        self._clock = max(self._clock, not_before) + pause
        return message(
            id=f"live{self._today:%Y%m%d}-{self._said:05d}",
            source=self._source,
            type=type,
            practice=self._practice,
            patient=patient.id,
            time=self._clock,
            data=data,
        )

    def _stage(self, moment: Moment, last: Message) -> Message | None:
        """The moment's message, or None as long as the day does not offer it."""
        if moment is Moment.DUPLICATE:
            return last
        if moment is Moment.BAD_EVENT:
            return self._backwards(last)
        if moment is Moment.LATE_CORRECTION:
            return self._take_back()
        return self._late_consent()

    def _backwards(self, last: Message) -> Message:
        """A device with a wrong clock: work that ends before it starts."""
        start = self._clock - timedelta(minutes=5)
        who = performer(NURSES[0], "clinical_staff")
        entry_id = f"t-live{self._today:%Y%m%d}-{self._said + 1:05d}"
        data = clocked(entry_id, who, ACTIVITIES[0], start, -240)
        everyone = (patient for patients in self._rounds.values() for patient in patients)
        patient = next(p for p in everyone if p.id == last["subject"])
        return self._say(patient, "time.logged", data, self._clock)

    def _take_back(self) -> Message | None:
        """Void the entry that has just earned a patient the first code."""
        while self._reached:
            contact, event = self._reached.pop()
            patient, key = contact.patient, (contact.patient.id, self._month)
            left = self._ledger.total(patient, self._month) - contact.seconds
            if left < LEVELS_SECONDS[0]:
                self._ledger.seconds[key] = left
                self._reached.clear()
                data = {"entry_id": event["data"]["entry_id"], "reason": "wrong-patient"}
                return self._say(patient, "time.voided", data, self._clock)
        return None

    def _late_consent(self) -> Message | None:
        """A consent given at enrolment that reaches the EHR only now."""
        if not self._waiting:
            return None
        patient = self._waiting.pop()
        return self._say(patient, "consent.recorded", consent(patient, "written"), self._clock)


def _end(contact: Contact) -> datetime:
    return contact.start + timedelta(seconds=contact.seconds if contact.clocked else 0)


def _present(panel: list[DemoPatient], nurse: str, today: date) -> list[DemoPatient]:
    """The nurse's patients who are in the programme today."""
    return [
        patient
        for patient in panel
        if patient.nurse == nurse and (patient.leaves_on is None or patient.leaves_on >= today)
    ]


def _consents_to_come(panel: list[DemoPatient], ledger: Ledger, today: date) -> list[DemoPatient]:
    """Patients without consent whose last month would have earned a code; most minutes last."""
    month = month_of(first_of_month(today, back=1))
    lacking = [p for p in panel if p.trait is Trait.NO_CONSENT and ledger.total(p, month) >= 1500]
    return sorted(lacking, key=lambda p: (ledger.total(p, month), p.id))
