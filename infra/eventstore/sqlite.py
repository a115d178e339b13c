"""The store in one SQLite file: log, read models and feed positions in single transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any, NoReturn, TypeVar

from eventsourcing.persistence import IntegrityError, Tracking
from eventsourcing.sqlite import SQLiteCursor

from infra.eventstore import letters, sqlite_snapshots, translated
from infra.eventstore.guarding import guard, write_projected
from infra.eventstore.rows import (
    after,
    doubled_keys,
    enrolled_rows,
    gone_rows,
    in_order,
    is_empty,
    letter_row,
    patient_rows,
    whole_assessment,
)
from infra.eventstore.schema import Report, silent
from infra.eventstore.sqlite_keys import KeyTaken, add_keys, holders
from infra.eventstore.sqlite_recorder import CareDatastore, SQLiteCareRecorder
from infra.eventstore.sqlite_rows import (
    ADD_ENROLLED,
    ADD_LETTER,
    ADD_TRANSITION,
    DELETE_ASSESSMENT,
    FORGET_ENROLLED,
    INSERT_EVENT,
    MARK_REPLAYED,
    NOTE_GONE,
    SELECT_ALERTS,
    SELECT_LETTERS,
    SELECT_STREAMS,
    SELECT_TRANSITIONS,
    SET_ALERT,
    SET_ASSESSMENT,
    SET_DELIVERED,
    SET_PATIENT,
    alert,
    alert_row,
    assessment_query,
    chunks,
    event,
    event_row,
    letter,
    marks,
    transition,
    transition_row,
)
from projections.ports import (
    Batch,
    DeadLetter,
    KeysTaken,
    PositionPassed,
    StoredEvent,
    StoredStream,
    StreamMoved,
    TransitionRow,
)

_T = TypeVar("_T")


class SQLiteStore:
    """`projections.ports.Store` on SQLite. Safe to call from several threads.

    Several processes may open the same file; one writes at a time and the others wait.
    """

    def __init__(self, path: str, report: Report = silent) -> None:
        """Open the database at `path` (`:memory:` for none) and bring its schema up to date.

        Raises SchemaTooNew when a newer release wrote it.
        """
        self._datastore = CareDatastore(path)
        self.recorder = SQLiteCareRecorder(self._datastore)
        self.recorder.migrate(report)

    def commit(self, batch: Batch) -> None:
        if is_empty(batch):
            return
        try:
            with self._datastore.transaction(commit=True) as c:
                self._write(c, batch)
        except KeyTaken:
            self._explain(batch)
        except IntegrityError as error:
            if "UNIQUE" not in str(error):
                raise
            self._explain(batch)
        if batch.events:
            self.recorder.announce()

    def _write(self, c: SQLiteCursor, batch: Batch) -> None:
        guard(c, batch)
        for name, position in batch.tracking.items():
            self._track(c, name, position)
        events = in_order(batch.events)
        before = self.recorder._last_position(c)
        c.executemany(INSERT_EVENT, [event_row(e) for e in events])
        add_keys(c, before, len(events))
        self._write_versions(c, batch, events)
        assessed = sorted(batch.assessments, key=itemgetter(1, 2, 3))
        c.executemany(
            SET_ASSESSMENT,
            [
                (a.practice_id, a.patient_id, a.month, a.stream_id, a.status, a.body, a.version)
                for a in assessed
            ],
        )
        gone = gone_rows(batch)
        c.executemany(NOTE_GONE, gone)
        c.executemany(DELETE_ASSESSMENT, [place for *place, _version in gone])
        c.executemany(SET_ALERT, [alert_row(t) for t in batch.transitions])
        c.executemany(ADD_TRANSITION, [transition_row(t) for t in batch.transitions])
        c.executemany(FORGET_ENROLLED, [(stream,) for stream in batch.enrolled])
        c.executemany(ADD_ENROLLED, enrolled_rows(batch))
        c.executemany(ADD_LETTER, [letter_row(dead) for dead in batch.dead_letters])
        letters.write(c.sqlite_cursor, batch.letter_acts)
        c.executemany(MARK_REPLAYED, [(at_us, dead) for dead, at_us in batch.replayed.items()])
        letters.check(c.sqlite_cursor, batch)
        translated.write(c.sqlite_cursor, batch)
        sqlite_snapshots.write(c, batch.snapshots)
        write_projected(c, batch.projected)

    def _track(self, c: SQLiteCursor, name: str, position: int) -> None:
        try:
            self.recorder._insert_tracking(c, Tracking(name, position))
        except IntegrityError:
            raise PositionPassed(f"feed {name} is already at or beyond {position}") from None

    @staticmethod
    def _write_versions(c: SQLiteCursor, batch: Batch, events: Sequence[StoredEvent]) -> None:
        rows = patient_rows(batch, events)
        c.executemany(SET_PATIENT, rows)
        if rows and c.sqlite_cursor.rowcount != len(rows):
            raise StreamMoved("a patient's stream has a later version than the batch's")

    def _explain(self, batch: Batch) -> NoReturn:
        """Which uniqueness the rolled back batch would have broken."""
        with self._datastore.transaction(commit=False) as c:
            for part in chunks(batch.events, 400):
                pairs = [x for e in part for x in (e.stream_id, e.version)]
                c.execute(
                    "SELECT originator_id FROM stored_events WHERE (originator_id, "
                    f"originator_version) IN (VALUES {','.join(['(?,?)'] * len(part))}) LIMIT 1",
                    pairs,
                )
                if row := c.fetchone():
                    raise StreamMoved(f"stream {row[0]} has moved")
            taken = holders(c, [e.key for e in batch.events]) or doubled_keys(batch.events)
        if taken:
            raise KeysTaken(taken)
        raise StreamMoved("an event of the batch or an alert transition is already stored")

    def load(self, stream_ids: Sequence[str], form: str | None = None) -> dict[str, StoredStream]:
        streams = {s: StoredStream(s, None, [], []) for s in stream_ids}
        with self._read() as c:
            for part in chunks(list(streams), 400):
                self._load(c, part, form, streams)
        return streams

    @staticmethod
    def _load(
        c: SQLiteCursor, part: Sequence[str], form: str | None, streams: dict[str, StoredStream]
    ) -> None:
        if form is not None:
            for stream, kept in sqlite_snapshots.read(c, part, form).items():
                streams[stream].snapshot = kept
        c.execute(
            SELECT_STREAMS.format(",".join(["(?,?)"] * len(part))),
            [value for stream in part for value in (stream, after(streams[stream]))],
        )
        for row in c.fetchall():
            streams[row[0]].events.append(event(row))
        c.execute(SELECT_ALERTS.format(marks(part)), part)
        for row in c.fetchall():
            streams[row[0]].alerts.append(alert(row[1:]))

    def tracking(self, name: str) -> int | None:
        return self.recorder.max_tracking_id(name)

    def log(self, after: int, limit: int) -> list[StoredEvent]:
        return self._select(
            event,
            "SELECT originator_id, originator_version, topic, state, event_key, position "
            "FROM stored_events WHERE position > ? ORDER BY position LIMIT ?",
            (after, limit),
        )

    def head(self) -> int:
        return self.recorder.max_notification_id() or 0

    def wait(self, after: int, timeout_seconds: float) -> bool:
        return self.recorder.wait_beyond(after, timeout_seconds)

    def holders(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        with self._read() as c:
            return holders(c, keys)

    def versions(self, stream_ids: Sequence[str] | None = None) -> dict[str, int]:
        with self._read() as c:
            if stream_ids is None:
                c.execute("SELECT stream_id, version FROM patients")
                return {row[0]: row[1] for row in c.fetchall()}
            found: dict[str, int] = {}
            for part in chunks(stream_ids, 500):
                c.execute(
                    f"SELECT stream_id, version FROM patients WHERE stream_id IN ({marks(part)})",
                    part,
                )
                found.update((row[0], row[1]) for row in c.fetchall())
        return found

    def assessments(
        self,
        practice: str | None = None,
        patient: str | None = None,
        month: str | None = None,
        status: str | None = None,
    ) -> Iterator[bytes]:
        query, values = assessment_query(practice, patient, month, status)
        with self._read() as c:
            c.execute(query, values)
            rows: Iterable[tuple[bytes, int]] = c.sqlite_cursor
            if self._datastore.pool.is_sqlite_memory_mode:
                rows = c.fetchall()  # the one connection is free again before anybody reads on
            else:
                yield from (whole_assessment(*row) for row in rows)
                return
        yield from (whole_assessment(*row) for row in rows)

    def transitions(self, after: int, limit: int) -> list[TransitionRow]:
        return self._select(transition, SELECT_TRANSITIONS, (after, limit))

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        if letters:
            with self._datastore.transaction(commit=True) as c:
                c.executemany(ADD_LETTER, [letter_row(dead) for dead in letters])

    def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        return self._select(letter, SELECT_LETTERS, (after, limit))

    def delivered(self, sink: str) -> int:
        rows = self._select(
            lambda row: int(row[0]), "SELECT position FROM delivered WHERE sink = ?", (sink,)
        )
        return rows[0] if rows else 0

    def set_delivered(self, sink: str, position: int) -> None:
        self._execute(SET_DELIVERED, (sink, position))

    def counts(self) -> dict[str, int]:
        # Positions have no gaps and nothing is deleted: the greatest one is the number of rows.
        names = ("patients", "events", "assessments", "transitions", "dead_letters")
        with self._read() as c:
            c.execute(
                "SELECT (SELECT count(*) FROM patients), "
                "(SELECT max(position) FROM stored_events), "
                "(SELECT count(*) FROM assessments), "
                "(SELECT max(position) FROM transitions), "
                "(SELECT count(*) FROM dead_letters)"
            )
            return dict(zip(names, (n or 0 for n in c.fetchone()), strict=True))

    def close(self) -> None:
        self._datastore.close()

    @contextmanager
    def _read(self) -> Iterator[SQLiteCursor]:
        with self._datastore.transaction(commit=False) as c:
            # The library asks for rows by name; plain tuples cost less.
            c.sqlite_cursor.row_factory = None
            yield c

    def _select(self, make: Callable[[Any], _T], query: str, values: Iterable[Any]) -> list[_T]:
        with self._read() as c:
            c.execute(query, values)
            return [make(row) for row in c.fetchall()]

    def _execute(self, statement: str, values: Iterable[Any]) -> None:
        with self._datastore.transaction(commit=True) as c:
            c.execute(statement, values)
