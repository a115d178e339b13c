"""The whole log folded anew, event by event, and compared with everything that is live.

Each patient is folded alone, as ingest folds it: every assessment it comes to and every transition
it decides on the way must be what is stored, byte for byte. What crosses patients is decided from
the whole log by projections of their own and is counted here, not decided again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from domain.assess import assessments
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import RuleBook
from infra.answers import assessment_row, transition_columns
from infra.codec import UndecodableEvent, decode_history, split_stream_id
from infra.eventstore.bypatient import MovedRow, PatientByPatient, Range, StoredPatient
from projections.live import LivePatient
from projections.ports import Store
from projections.rebuilding import compared
from services.audit.moves import crosses, differing

RANGES_A_PROCESS: Final = 8
"""Into how many reads a process's part is cut: each holds up the database's tidying no longer
than it takes."""
PATIENTS_AT_ONCE: Final = 50
"""How often progress is told."""

ASSESSMENT, TRANSITION, EVENT = "assessment", "transition", "event"


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that is live and is not what the events come to.

    `kind` is `missing`, `left-over` or `different`; `members` are those of the JSON that differ.
    For a transition `alert` is its identity and number.
    """

    what: str
    kind: str
    stream_id: str
    month: str
    alert: str = ""
    members: tuple[str, ...] = ()


@dataclass(slots=True)
class Refolded:
    """How much was folded and compared, and what was not equal."""

    patients: int = 0
    events: int = 0
    assessments: int = 0
    transitions: int = 0
    crossing: int = 0
    """Stored transitions that cross patients: counted alone."""
    deviations: list[Deviation] = field(default_factory=list)

    def add(self, other: Refolded) -> None:
        self.patients += other.patients
        self.events += other.events
        self.assessments += other.assessments
        self.transitions += other.transitions
        self.crossing += other.crossing
        self.deviations += other.deviations


Told = Callable[[int], None]
"""Hears how many further patients were folded."""


def refold(
    store: Store,
    part: Range,
    book: RuleBook,
    policy_of: Callable[[str], Policy],
    told: Told = lambda _patients: None,
) -> Refolded:
    """Fold and compare the patients of a range."""
    found, untold = Refolded(), 0
    for stored in PatientByPatient(store).patients(part):
        found.patients += 1
        found.events += len(stored.events)
        _compare(stored, book, policy_of, found)
        untold += 1
        if untold == PATIENTS_AT_ONCE:
            told(untold)
            untold = 0
    told(untold)
    return found


def orphans(store: Store) -> list[Deviation]:
    """Live months of patients of whom nothing is in the log."""
    return [
        Deviation(ASSESSMENT, "left-over", stream, month)
        for stream, month in PatientByPatient(store).without_events()
    ]


def _compare(
    stored: StoredPatient,
    book: RuleBook,
    policy_of: Callable[[str], Policy],
    found: Refolded,
) -> None:
    live = LivePatient(Patient(*split_stream_id(stored.stream_id)))
    policy = policy_of(live.patient.practice_id)
    try:
        decided = _decided(stored, live, book, policy)
    except UndecodableEvent:
        found.deviations.append(Deviation(EVENT, "unreadable", stored.stream_id, ""))
        return
    answers = assessments(live.patient, book, policy)
    rows = [assessment_row(stored.stream_id, answer) for answer in answers]
    months = {row.month for row in (*stored.live, *rows)}
    found.assessments += len(rows)
    found.deviations += (
        Deviation(ASSESSMENT, d.kind.value, stored.stream_id, d.month, members=d.members)
        for d in compared(stored.live, rows, months)
    )
    own = [row for row in stored.transitions if not crosses(row)]
    found.crossing += len(stored.transitions) - len(own)
    found.transitions += len(own)
    if own != decided:
        found.deviations += (
            Deviation(TRANSITION, kind, stored.stream_id, month, alert, members)
            for kind, month, alert, members in differing(own, decided)
        )


def _decided(
    stored: StoredPatient, live: LivePatient, book: RuleBook, policy: Policy
) -> list[MovedRow]:
    address = (live.patient.practice_id, live.patient.patient_id)
    events = decode_history(stored.stream_id, stored.events)
    stream, decided = stored.stream_id, []
    for row, event in zip(stored.events, events, strict=True):
        recorded = event.recorded_at_us or 0
        for change in live.take(event, recorded, book, policy)[1]:
            decided.append(
                transition_columns(stream, *address, change, event.key, row[1], recorded)
            )
    return decided
