"""What a screen of the demo shows, read from the store and from nowhere else."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import msgspec

from infra.codec import decode_event, split_stream_id
from projections.ports import Store, TransitionRow

FEED_MAX: Final = 40
CHUNK: Final = 2_000


class CodeUnits(msgspec.Struct, gc=False):
    code: str
    units: int


class Money(msgspec.Struct, gc=False):
    amount: str


class NextThreshold(msgspec.Struct, gc=False):
    code: str
    unit: int
    seconds_to_go: int


class Pooled(msgspec.Struct, gc=False):
    pooled: int


class Answer(msgspec.Struct):
    """The members of an assessment that the demo shows."""

    patient_id: str
    month: str
    status: str
    codes: list[CodeUnits]
    payment: Money | None
    seconds: Pooled
    blockers: list[str]
    next: list[NextThreshold]

    @property
    def cents(self) -> int:
        """The selected option's dollars, in cents."""
        return int(self.payment.amount.replace(".", "")) if self.payment else 0

    @property
    def is_unpriced(self) -> bool:
        """Whether a selected code has no fee for its date of service."""
        return bool(self.codes) and self.payment is None


_ANSWER: Final = msgspec.json.Decoder(Answer)


@dataclass(frozen=True, slots=True)
class Change:
    """One stored alert transition with the clinic's own time of it."""

    at: datetime
    row: TransitionRow


class View:
    """The practice's month as the store has it, with what is new since the last look."""

    def __init__(self, store: Store, practice: str, source: str, opening: datetime) -> None:
        """`source` is the feed whose messages move the clock, which begins at `opening`."""
        self.practice, self.month = practice, f"{opening:%Y-%m}"
        self.clock = opening
        self._source = source
        self._store = store
        self.position = store.head()
        self.answers = {answer.patient_id: answer for answer in self._months(None, self.month)}
        self.touched: dict[str, None] = {}
        """Patients by when something last happened to them, latest last."""
        self.changes: deque[Change] = deque(maxlen=FEED_MAX)
        self.raised = self.resolved = 0
        self._transition = self._last_transition()

    def refresh(self) -> list[Change]:
        """Read what is new; gives the alert transitions among it, oldest first."""
        touched = self._new_events()
        new = self._new_transitions()
        for patient in touched:
            self.touched.pop(patient, None)
            self.touched[patient] = None
            if answer := self.answer(patient, self.month):
                self.answers[patient] = answer
            else:
                self.answers.pop(patient, None)
        return new

    def answer(self, patient: str, month: str) -> Answer | None:
        """One month of one patient as it stands in the store now."""
        return next(iter(self._months(patient, month)), None)

    def codes(self) -> Counter[str]:
        """Units of each code that the month has earned over all patients."""
        units: Counter[str] = Counter()
        for answer in self.answers.values():
            units.update({line.code: line.units for line in answer.codes})
        return units

    def cents(self) -> int:
        """What the month has earned over all patients, in cents."""
        return sum(answer.cents for answer in self.answers.values())

    def unpriced(self) -> int:
        """Patients whose codes are in no sum, for want of a fee."""
        return sum(answer.is_unpriced for answer in self.answers.values())

    def _months(self, patient: str | None, month: str) -> Iterable[Answer]:
        return map(_ANSWER.decode, self._store.assessments(self.practice, patient, month))

    def _new_events(self) -> dict[str, None]:
        touched: dict[str, None] = {}
        while page := self._store.log(self.position, CHUNK):
            self.position = page[-1].position
            for stored in page:
                practice, patient = split_stream_id(stored.stream_id)
                if practice == self.practice:
                    touched[patient] = None
                    event = decode_event(stored)
                    if event.source == self._source:
                        self.clock = max(self.clock, datetime.fromtimestamp(event.time, UTC))
        return touched

    def _new_transitions(self) -> list[Change]:
        new: list[Change] = []
        while page := self._store.transitions(self._transition, CHUNK):
            self._transition = page[-1].position
            new += [Change(self.clock, row) for row in page]
        self.changes.extend(new)
        self.raised += sum(change.row.state.raised for change in new)
        self.resolved += sum(not change.row.state.raised for change in new)
        return new

    def _last_transition(self) -> int:
        last = 0
        while page := self._store.transitions(last, CHUNK):
            last = page[-1].position
        return last
