"""The store in plain dictionaries: for file replay and for tests. Nothing survives the process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from threading import Condition

from infra.eventstore.rows import after, doubled_keys, in_order, printable, whole_assessment
from projections.letters import ActKind, LetterAct, LetterMoved, acted
from projections.ports import (
    AlertState,
    AssessmentRow,
    Batch,
    DeadLetter,
    EnrolledMonths,
    KeysTaken,
    Link,
    PositionPassed,
    ProjectedRow,
    Snapshot,
    StoredEvent,
    StoredStream,
    StreamMoved,
    TakenResource,
    TransitionRow,
)


class MemoryStore:
    """`projections.ports.Store` without a database; the same answers and the same refusals."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._log: list[StoredEvent] = []
        self._streams: dict[str, dict[int, StoredEvent]] = {}
        self._keys: dict[bytes, str] = {}
        self._versions: dict[str, int] = {}
        self._assessments: dict[tuple[str, str], AssessmentRow] = {}
        self._alerts: dict[str, dict[str, AlertState]] = {}
        self._transitions: list[TransitionRow] = []
        self._decided: set[tuple[str, int]] = set()
        self._letters: list[DeadLetter] = []
        self.letter_acts: list[LetterAct] = []
        self._tracking: dict[str, int] = {}
        self._delivered: dict[str, int] = {}
        self._snapshots: dict[str, Snapshot] = {}
        self.enrolled: dict[str, list[EnrolledMonths]] = {}
        self.projected: dict[tuple[str, int, str, int, str], bytes] = {}
        """Rows of projections that cross patients: (table, generation, part, at, key) to body."""
        self.links: dict[str, list[Link]] = {}
        self.resources: dict[str, TakenResource] = {}

    def commit(self, batch: Batch) -> None:
        with self._changed:
            self._refuse(batch)
            self._tracking.update(batch.tracking)
            self._append(batch.events)
            self._versions.update(batch.versions)
            self._assessments.update({(a.stream_id, a.month): a for a in batch.assessments})
            for pair in batch.removed_months:
                self._assessments.pop(pair, None)
            self._transit(batch.transitions)
            self.enrolled.update(batch.enrolled)
            self.links.update(batch.links)
            self.resources.update({r.key: r for r in batch.resources})
            self._keep(batch.dead_letters)
            for act in batch.letter_acts:
                self._letters[act.letter_id - 1] = acted(self._letter(act.letter_id), act)
            self.letter_acts += batch.letter_acts
            self._mark_replayed(batch.replayed)
            self._wait_anew(batch.refused_again)
            self._remember(batch.snapshots)
            self._project(batch.projected)
            if batch.events:
                self._changed.notify_all()

    def _refuse(self, batch: Batch) -> None:
        """Raise before anything is written."""
        for name, position in batch.expected.items():
            if self._tracking.get(name, 0) != position:
                raise PositionPassed(f"feed {name} does not stand at {position}")
        for name, position in batch.tracking.items():
            if position <= self._tracking.get(name, -1):
                raise PositionPassed(f"feed {name} is already at or beyond {position}")
        self._refuse_moved(batch)
        for taken_next in batch.resources:
            known = self.resources.get(taken_next.key)
            if taken_next.revision != (known.revision if known else 0) + 1:
                raise StreamMoved("a resource was taken by another writer first")
        taken = self.holders([e.key for e in batch.events])
        if taken := taken or doubled_keys(batch.events):
            raise KeysTaken(taken)
        for act in batch.letter_acts:
            acted(self._letter(act.letter_id), act)
        corrected = {a.letter_id for a in self.letter_acts if a.kind is ActKind.CORRECTED}
        if not corrected.isdisjoint(batch.replayed):
            raise LetterMoved("a letter was corrected")

    def _refuse_moved(self, batch: Batch) -> None:
        for stream, version in batch.versions.items():
            if self._versions.get(stream, 0) > version:
                raise StreamMoved(f"stream {stream} has moved beyond {version}")
        places = [(e.stream_id, e.version) for e in batch.events]
        for stream, version in places:
            if version in self._streams.get(stream, ()):
                raise StreamMoved(f"stream {stream} has moved")
        decided = [(t.state.alert_id, t.state.transition) for t in batch.transitions]
        doubled = len(set(places)) < len(places) or len(set(decided)) < len(decided)
        if doubled or not self._decided.isdisjoint(decided):
            raise StreamMoved("an event of the batch or an alert transition is already stored")

    def _append(self, events: Sequence[StoredEvent]) -> None:
        for event in in_order(events):
            stored = event._replace(position=len(self._log) + 1)
            self._log.append(stored)
            self._streams.setdefault(event.stream_id, {})[event.version] = stored
            self._keys[event.key] = event.stream_id

    def _transit(self, transitions: Sequence[TransitionRow]) -> None:
        for row in transitions:
            self._transitions.append(row._replace(position=len(self._transitions) + 1))
            self._decided.add((row.state.alert_id, row.state.transition))
            alerts = self._alerts.setdefault(row.stream_id, {})
            known = alerts.get(row.state.alert_id)
            if known is None or known.transition < row.state.transition:
                alerts[row.state.alert_id] = row.state

    def _keep(self, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            self._letters.append(
                replace(
                    letter,
                    origin=printable(letter.origin),
                    reason=printable(letter.reason),
                    field=printable(letter.field),
                    sentence=printable(letter.sentence),
                    id=len(self._letters) + 1,
                )
            )

    def _remember(self, snapshots: Sequence[Snapshot]) -> None:
        for snapshot in snapshots:
            known = self._snapshots.get(snapshot.stream_id)
            if known is None or known.version <= snapshot.version:
                of_known = known.parts if known is not None else {}
                stored = {name: of_known.get(name, body) for name, body in snapshot.parts.items()}
                parts = {name: body for name, body in stored.items() if body is not None}
                self._snapshots[snapshot.stream_id] = replace(snapshot, parts=parts)

    def _project(self, rows: Sequence[ProjectedRow]) -> None:
        for row in sorted(rows, key=lambda row: row.body is not None):
            where = (row.table, row.generation, row.part, row.at, row.key)
            if row.body is None:
                self.projected.pop(where, None)
            else:
                self.projected[where] = row.body

    def load(self, stream_ids: Sequence[str], form: str | None = None) -> dict[str, StoredStream]:
        with self._changed:
            return {stream: self._stream(stream, form) for stream in stream_ids}

    def _stream(self, stream: str, form: str | None) -> StoredStream:
        kept = self._snapshots.get(stream)
        snapshot = kept if kept is not None and kept.form == form else None
        alerts = sorted(self._alerts.get(stream, {}).items())
        found = StoredStream(stream, snapshot, [], [state for _, state in alerts])
        events = sorted(self._streams.get(stream, {}).items())
        found.events = [event for number, event in events if number > after(found)]
        return found

    def tracking(self, name: str) -> int | None:
        return self._tracking.get(name)

    def log(self, after: int, limit: int) -> list[StoredEvent]:
        with self._changed:
            start = max(after, 0)
            return self._log[start : start + limit]

    def head(self) -> int:
        return len(self._log)

    def wait(self, after: int, timeout_seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: len(self._log) > after, timeout_seconds)

    def holders(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        return {key: self._keys[key] for key in keys if key in self._keys}

    def versions(self, stream_ids: Sequence[str] | None = None) -> dict[str, int]:
        with self._changed:
            wanted = self._versions if stream_ids is None else stream_ids
            return {s: self._versions[s] for s in wanted if s in self._versions}

    def assessments(
        self,
        practice: str | None = None,
        patient: str | None = None,
        month: str | None = None,
        status: str | None = None,
    ) -> Iterator[bytes]:
        with self._changed:
            rows = [
                (a.practice_id, a.patient_id, a.month, a.body, self._versions.get(a.stream_id, 0))
                for a in self._assessments.values()
                if practice in (None, a.practice_id)
                and patient in (None, a.patient_id)
                and month in (None, a.month)
                and status in (None, a.status)
            ]
        for *_, body, version in sorted(rows):
            yield whole_assessment(body, version)

    def rows_of(self, stream_ids: Sequence[str]) -> list[AssessmentRow]:
        """The assessments of these patients as they lie here, by stream and month."""
        with self._changed:
            wanted = set(stream_ids)
            return [row for (s, _), row in sorted(self._assessments.items()) if s in wanted]

    def transitions(self, after: int, limit: int) -> list[TransitionRow]:
        with self._changed:
            start = max(after, 0)
            return self._transitions[start : start + limit]

    def _letter(self, letter_id: int) -> DeadLetter:
        if not 0 < letter_id <= len(self._letters):
            raise LetterMoved(f"there is no letter {letter_id}")
        return self._letters[letter_id - 1]

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        with self._changed:
            self._keep(letters)

    def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        with self._changed:
            start = max(after, 0)
            return self._letters[start : start + limit]

    def _mark_replayed(self, replayed: dict[int, int]) -> None:
        for letter_id, at_us in replayed.items():
            place = letter_id - 1
            if 0 <= place < len(self._letters) and self._letters[place].replayed_at_us is None:
                self._letters[place] = replace(self._letters[place], replayed_at_us=at_us)

    def _wait_anew(self, refused_again: dict[int, DeadLetter]) -> None:
        for letter_id, said in refused_again.items():
            waits = self._letters[letter_id - 1]
            if waits.replayed_at_us is None:
                self._letters[letter_id - 1] = replace(
                    waits,
                    reason=printable(said.reason),
                    field=printable(said.field),
                    sentence=printable(said.sentence),
                    waits_for=said.waits_for,
                )

    def delivered(self, sink: str) -> int:
        return self._delivered.get(sink, 0)

    def set_delivered(self, sink: str, position: int) -> None:
        with self._changed:
            self._delivered[sink] = max(position, self.delivered(sink))

    def counts(self) -> dict[str, int]:
        with self._changed:
            return {
                "patients": len(self._versions),
                "events": len(self._log),
                "assessments": len(self._assessments),
                "transitions": len(self._transitions),
                "dead_letters": len(self._letters),
            }

    def close(self) -> None:
        """Nothing to let go of."""
