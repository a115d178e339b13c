"""The whole log folded anew, event by event, and compared with everything that is live.

Each patient is folded alone, as ingest folds it: every assessment it comes to and every transition
it decides on the way must be what is stored, byte for byte. What crosses patients is decided from
the whole log by projections of their own and is counted here, not decided again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final

from domain.alerts import AlertType, Watched
from domain.assess import assessments
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import RuleBook
from infra.answers import assessment_row, transition_row
from infra.codec import UndecodableEvent, decode_event, split_stream_id
from infra.eventstore.bypatient import PatientByPatient, Range, StoredPatient
from projections.live import LivePatient
from projections.ports import Store, TransitionRow
from projections.rebuilding import compared

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
    patient = Patient(*split_stream_id(stored.stream_id))
    policy = policy_of(patient.practice_id)
    try:
        decided = list(_decided(stored, patient, book, policy))
    except UndecodableEvent:
        found.deviations.append(Deviation(EVENT, "unreadable", stored.stream_id, ""))
        return
    rows = [assessment_row(stored.stream_id, a) for a in assessments(patient, book, policy)]
    months = {row.month for row in (*stored.live, *rows)}
    found.assessments += len(rows)
    found.deviations += (
        Deviation(ASSESSMENT, d.kind.value, stored.stream_id, d.month, members=d.members)
        for d in compared(stored.live, rows, months)
    )
    own = [row for row in stored.transitions if not _crosses(row)]
    found.crossing += len(stored.transitions) - len(own)
    found.transitions += len(own)
    found.deviations += _differing(stored.stream_id, own, decided)


def _decided(
    stored: StoredPatient, patient: Patient, book: RuleBook, policy: Policy
) -> Iterator[TransitionRow]:
    live = LivePatient(patient)
    for one in stored.events:
        event = decode_event(one)
        recorded = event.recorded_at_us or 0
        for change in live.take(event, recorded, book, policy)[1]:
            yield transition_row(
                stored.stream_id,
                patient.practice_id,
                patient.patient_id,
                change,
                event.key,
                one.version,
                recorded,
            )


def _crosses(row: TransitionRow) -> bool:
    state = row.state
    try:
        watched = Watched(state.month, AlertType(state.type), state.code, state.unit)
    except ValueError:
        return False  # no type of ours: it is left over
    return watched.crosses_patients


def _differing(
    stream: str, stored: list[TransitionRow], decided: list[TransitionRow]
) -> Iterator[Deviation]:
    """Both in the order in which they were decided, compared by identity and number."""
    if all(_is_same(a, b) for a, b in zip_longest(stored, decided)):
        return
    old = {(row.state.alert_id, row.state.transition): row for row in stored}
    new = {(row.state.alert_id, row.state.transition): row for row in decided}
    same = [key for key in old.keys() & new.keys() if not _is_same(old[key], new[key])]
    for key in sorted({*same, *(old.keys() ^ new.keys())}):
        before, after = old.get(key), new.get(key)
        row = before or after
        assert row is not None
        kind = "missing" if before is None else "left-over" if after is None else "different"
        members = _members(before, after) if before and after else ()
        alert = f"{key[0]}.{key[1]}"
        yield Deviation(TRANSITION, kind, stream, row.state.month, alert, members)
    if old == new or not ({*same, *(old.keys() ^ new.keys())}):
        month = (stored or decided)[0].state.month
        yield Deviation(TRANSITION, "different", stream, month, members=("order",))


def _is_same(stored: TransitionRow | None, decided: TransitionRow | None) -> bool:
    """Everything but the place in the database."""
    if stored is None or decided is None:
        return False
    return (
        stored.body == decided.body
        and stored.recorded_at_us == decided.recorded_at_us
        and stored.suppressed == decided.suppressed
        and _columns(stored) == _columns(decided)
    )


def _columns(row: TransitionRow) -> tuple[Any, ...]:
    s = row.state
    place = (row.stream_id, row.practice_id, row.patient_id)
    return (*place, s.alert_id, s.month, s.type, s.code, s.unit, s.transition, s.raised)


def _members(before: TransitionRow, after: TransitionRow) -> tuple[str, ...]:
    try:
        old = json.loads(before.body)
    except ValueError:
        return ("body",)
    new = json.loads(after.body)
    if not isinstance(old, dict):
        return ("body",)
    return tuple(n for n in {**new, **old} if old.get(n) != new.get(n)) or ("row",)
