"""`staff.overlap`: one performer's clocked entries for two patients at once.

Kept in the store: every standing clocked stretch by practice and performer, and the number of
overlaps of each patient's month that has any. Kept in memory: the patients heard of last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from domain.alerts import AlertType, Standing, Watched, alert_id
from domain.event import Event
from domain.facts import Month
from domain.patient import Patient, evolve
from domain.policy import Policy
from infra.answers import transition_row
from infra.codec import decode_event, split_stream_id, stream_id
from projections.ports import ProjectedRow, Store, StoredEvent, TransitionRow
from projections.projected import Projected
from projections.projected import Stretch as Rows
from projections.staffing import (
    STRETCH_SECONDS_MAX,
    Booked,
    Rota,
    Staff,
    Stretch,
    entries_moved,
    stretches,
)
from services.projecting.following import Folded, FollowedPatients, decided, number_of

NAME: Final = "staff-overlap"
WORK: Final = "staff-overlap.work"
COUNTS: Final = "staff-overlap.counts"
PATIENTS_MAX: Final = 20_000

_encode = msgspec.json.encode
_WORK = msgspec.json.Decoder(tuple[int, int])
"""The stretch's end, and the version of its patient's stream that put it there."""
_KEY = msgspec.json.Decoder(tuple[str, str, Month])
_STAFF = msgspec.json.Decoder(tuple[str, str])
_BOOKED = msgspec.json.Decoder(tuple[str, Month])


def work_of(row: ProjectedRow) -> tuple[Staff, Stretch, int]:
    """A row of `WORK`: who worked when, and the version of the stream that put it there."""
    assert row.body is not None
    end, version = _WORK.decode(row.body)
    return _STAFF.decode(row.part), Stretch(row.at, end, *_KEY.decode(row.key)), version


def counted_in(row: ProjectedRow) -> tuple[Staff, Booked]:
    """A row of `COUNTS`: whose overlaps are counted, of which patient's month."""
    return _STAFF.decode(row.part), _BOOKED.decode(row.key)


@dataclass(frozen=True, slots=True)
class _Change:
    """What one event takes out of the rota and puts into it."""

    event: Event
    version: int
    gone: list[tuple[Staff, Stretch]]
    come: list[tuple[Staff, Stretch]]


class StaffOverlaps:
    """The projection; see `services.projecting.following.Projection`."""

    name = NAME
    tables = (WORK, COUNTS)

    def __init__(
        self,
        store: Store,
        projected: Projected,
        policy_of: Callable[[str], Policy],
        patients_max: int = PATIENTS_MAX,
    ) -> None:
        self._projected = projected
        self._policy_of = policy_of
        self._patients = FollowedPatients(store, patients_max)

    def forget(self) -> None:
        self._patients.forget()

    def fold(self, events: Sequence[StoredEvent], generation: int) -> Folded:
        changes = self._changes(events)
        if not changes:
            return Folded()
        turn = _Turn(self._projected, generation, changes)
        for change in changes:
            turn.take(change)
        return turn.folded()

    def _changes(self, events: Sequence[StoredEvent]) -> list[_Change]:
        patients = self._patients.fetch(events)
        changes = []
        for stored in events:
            event, patient = decode_event(stored), patients[stored.stream_id]
            moved = entries_moved(patient, event)
            before = self._stretches(patient, stored.stream_id, moved)
            evolve(patient, event)
            after = self._stretches(patient, stored.stream_id, moved)
            if before != after:
                gone, come = sorted(before - after), sorted(after - before)
                changes.append(_Change(event, stored.version, gone, come))
        return changes

    def _stretches(
        self, patient: Patient, stream_id: str, entries: Iterable[str]
    ) -> set[tuple[Staff, Stretch]]:
        zone = self._policy_of(patient.practice_id).default_timezone
        return {
            found
            for entry_id in entries
            for found in stretches(patient, patient.entries.get(entry_id), stream_id, zone)
        }


class _Turn:
    """One batch: the rota around what changes, and what comes of it."""

    def __init__(self, projected: Projected, generation: int, changes: Sequence[_Change]) -> None:
        self._generation = generation
        self._rota = Rota()
        self._versions: dict[tuple[Staff, Stretch], int] = {}
        self._work: dict[tuple[Staff, Stretch], bool] = {}
        self._counted: set[tuple[Staff, Booked]] = set()
        self._transitions: list[TransitionRow] = []
        self._read(projected, changes)
        booked = {(staff, s.booked) for staff, s in self._versions}
        booked |= {(staff, s.booked) for c in changes for staff, s in c.come}
        alerts = {key: (key[1][0], _identity(key)) for key in booked}
        standings = projected.standings(set(alerts.values()))
        self._standing = {
            key: Standing(state.transition, state.raised, state.silent)
            for key, (_, identity) in alerts.items()
            if (state := standings.get(identity)) is not None
        }

    def _read(self, projected: Projected, changes: Sequence[_Change]) -> None:
        """Everything that may overlap with what changes, and what is counted of it."""
        around = {
            Rows(part_of(staff), s.start - STRETCH_SECONDS_MAX, s.end)
            for change in changes
            for staff, s in (*change.gone, *change.come)
        }
        months = {
            Rows(part_of(staff), number_of(s.month), number_of(s.month))
            for change in changes
            for staff, s in (*change.gone, *change.come)
        }
        for row in projected.rows(WORK, self._generation, around):
            staff, stretch, version = work_of(row)
            self._rota.know(staff, stretch)
            self._versions[staff, stretch] = version
            months.add(Rows(row.part, number_of(stretch.month), number_of(stretch.month)))
        for row in projected.rows(COUNTS, self._generation, months):
            assert row.body is not None
            self._rota.overlaps[counted_in(row)] = int(row.body)

    def take(self, change: _Change) -> None:
        """Fold one event's change, and decide on alerts as of this event."""
        versions: dict[tuple[Staff, Booked], int] = {}
        for staff, stretch in change.gone:
            beside = self._rota.remove(staff, stretch)
            self._note(staff, stretch, beside, versions)
            self._work[staff, stretch] = False
        for staff, stretch in change.come:
            self._versions[staff, stretch] = change.version
            beside = self._rota.add(staff, stretch)
            self._note(staff, stretch, beside, versions)
            self._work[staff, stretch] = True
        self._counted |= versions.keys()
        for key in sorted(versions):
            own = key[1][0] == stream_id(change.event.practice_id, change.event.patient_id)
            self._decide(key, change, change.version if own else versions[key])

    def _note(
        self,
        staff: Staff,
        stretch: Stretch,
        beside: Sequence[Stretch],
        versions: dict[tuple[Staff, Booked], int],
    ) -> None:
        """Whose number of overlaps changed, and the version of each one's work concerned."""
        for one in (stretch, *beside) if beside else ():
            key = (staff, one.booked)
            versions[key] = max(versions.get(key, 0), self._versions[staff, one])

    def _decide(self, key: tuple[Staff, Booked], change: _Change, version: int) -> None:
        (_, performer), (stream, month) = key
        watched = Watched(month, AlertType.STAFF_OVERLAP, performer, 0)
        wanted = self._rota.overlaps[key] > 0
        transition = decided(watched, self._standing.get(key), wanted, change.event)
        if transition is None:
            return
        self._standing[key] = transition.standing
        assert change.event.recorded_at_us is not None
        self._transitions.append(
            transition_row(
                stream,
                *split_stream_id(stream),
                transition,
                change.event.key,
                version,
                change.event.recorded_at_us,
            )
        )

    def folded(self) -> Folded:
        rows = [
            ProjectedRow(
                WORK,
                self._generation,
                part_of(staff),
                s.start,
                _encode((s.stream_id, s.entry_id, s.month)).decode(),
                _encode((s.end, self._versions[staff, s])) if stands else None,
            )
            for (staff, s), stands in self._work.items()
        ]
        for staff, booked in self._counted:
            count = self._rota.overlaps[staff, booked]
            key = _encode(booked).decode()
            body = b"%d" % count if count else None
            rows.append(
                ProjectedRow(
                    COUNTS, self._generation, part_of(staff), number_of(booked[1]), key, body
                )
            )
        return Folded(rows, self._transitions)


def _identity(key: tuple[Staff, Booked]) -> str:
    (_, performer), (stream, month) = key
    watched = Watched(month, AlertType.STAFF_OVERLAP, performer, 0)
    return alert_id(*split_stream_id(stream), watched)


def part_of(staff: Staff) -> str:
    return _encode(staff).decode()
