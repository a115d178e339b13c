"""Replay: event files folded in memory, into the answers that the log would give for them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from domain.assess import Assessment, assessments
from domain.event import Event, EventKey
from domain.facts import Instant, Month
from domain.merging import circle, merged_into, owed, targets
from domain.patient import Accepted as New
from domain.patient import Patient, Refused, conflicting_duplicate, decide, evolve
from domain.policy import Policy
from domain.rejections import Rejection
from domain.rules import RuleBook
from infra.codec import instant_text
from services.doors.lines import lines_of
from services.programme import whole_programme
from services.wire.decode import decode_message

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that cannot be taken, and why."""

    file: str
    line: int
    rejection: Rejection


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which answers are asked for; None is any. `through` adds the empty months up to then."""

    practice: str | None = None
    patient: str | None = None
    month: Month | None = None
    through: Instant | None = None

    def has(self, patient: Patient) -> bool:
        return (self.practice is None or patient.practice_id == self.practice) and (
            self.patient is None or patient.patient_id == self.patient
        )


class Replay:
    """Patients folded from files, decided on exactly as at the door."""

    def __init__(self, as_of_us: int | None = None) -> None:
        """`as_of_us` (microseconds since the epoch) leaves out what was recorded later. An event
        that does not say when it was recorded counts by its own `time`."""
        self._as_of_us = as_of_us
        self._patients: dict[tuple[str, str], Patient] = {}
        self._owners: dict[EventKey, Patient] = {}

    def read(self, path: Path) -> Iterator[Fault]:
        """Fold a JSON Lines file, plain or gzip; yields the lines that cannot be taken.

        Raises `OSError` and `services.doors.lines.DamagedFile`.
        """
        with path.open("rb") as file:
            for number, text, _ in lines_of(file, path):
                if text and not text.isspace():
                    rejection = self.take(text)
                    if rejection is not None:
                        yield Fault(str(path), number, rejection)

    def take(self, text: bytes) -> Rejection | None:
        """Fold one event unless it is a duplicate or too late; the reason if it is refused."""
        decoded = decode_message(text, ())
        if isinstance(decoded, Rejection):
            return decoded
        event = decoded.event
        return self._fold(event) if self._known_by_then(event) else None

    def _fold(self, event: Event) -> Rejection | None:
        address = (event.practice_id, event.patient_id)
        patient = self._patients.get(address)
        if patient is None:
            patient = self._patients[address] = Patient(*address)
        if self._owners.setdefault(event.key, patient) is not patient:
            return conflicting_duplicate()
        decision = decide(patient, event)
        if isinstance(decision, New) and (refusal := self._circle(patient, event)):
            return refusal
        if isinstance(decision, New):
            evolve(patient, event)
        return decision.rejection if isinstance(decision, Refused) else None

    def _circle(self, patient: Patient, event: Event) -> Rejection | None:
        def into_of(name: str) -> str | None:
            other = self._patients.get((patient.practice_id, name))
            return None if other is None else merged_into(other)

        return circle(patient, event, into_of)

    def _carry_over(self) -> None:
        """Tell again what merged records owe, until none owes anything. A file that came from our
        own log has it already."""
        waiting = deque(p for p in self._patients.values() if p.merges)
        while waiting:
            losing = waiting.popleft()
            for into in targets(losing):
                address = (losing.practice_id, into)
                stays = self._patients.setdefault(address, Patient(*address))
                found = list(owed(losing, list(losing.events.values()), stays))
                for each in found:
                    told = Event(*address, *each.key, each.time, each.fact, b"")
                    evolve(stays, told)
                if found and stays.merges:
                    waiting.append(stays)

    def _known_by_then(self, event: Event) -> bool:
        if self._as_of_us is None:
            return True
        recorded = event.recorded_at_us
        return (event.time * SECOND_US if recorded is None else recorded) <= self._as_of_us

    def answers(
        self, book: RuleBook, policy_of: Callable[[str], Policy], wanted: Wanted = Wanted()
    ) -> Iterator[Assessment]:
        """The assessments by practice, patient and month, in code point order."""
        self._carry_over()
        as_of = None if self._as_of_us is None else instant_text(self._as_of_us)
        for address in sorted(self._patients):
            patient = self._patients[address]
            if wanted.has(patient):
                for answer in _months(patient, book, policy_of(patient.practice_id), wanted):
                    yield answer if as_of is None else replace(answer, as_of=as_of)


def _months(
    patient: Patient, book: RuleBook, policy: Policy, wanted: Wanted
) -> Iterator[Assessment]:
    if wanted.through is None:
        answers = assessments(patient, book, policy)
    else:
        answers = whole_programme(patient, book, policy, wanted.through)
    for answer in answers:
        if wanted.month in (None, answer.month):
            yield answer
