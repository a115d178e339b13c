"""The store in PostgreSQL: log, read models and feed positions in single transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn
from uuid import uuid4

import psycopg
from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError
from psycopg import Cursor
from psycopg.rows import tuple_row

from infra.eventstore import letters, postgres_snapshots, translated
from infra.eventstore import postgres_rows as sql
from infra.eventstore.guarding import guard, write_projected
from infra.eventstore.postgres_lock import end_silent_holders, lock_log, waited_in_vain
from infra.eventstore.postgres_recorder import (
    CHANNEL,
    CarePostgresDatastore,
    PostgresCareRecorder,
    copy_events,
)
from infra.eventstore.rows import (
    after,
    doubled_keys,
    enrolled_rows,
    gone_rows,
    in_order,
    is_empty,
    patient_rows,
    whole_assessment,
)
from infra.eventstore.schema import Report, silent
from infra.eventstore.sqlite_rows import SELECT_LETTERS, alert, event, letter, transition
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

_EVENT = "originator_id, originator_version, topic, e.state, event_key, notification_id"
_ALERT = "alert_id, month, type, code, unit, transition, raised"


class PostgresStore:
    """`projections.ports.Store` on PostgreSQL. Safe for several threads and processes."""

    def __init__(self, url: str, report: Report = silent) -> None:
        """Open the database and bring its schema up to date.

        Raises SchemaTooNew when a newer release wrote it, ValueError when it is not in UTF-8.
        """
        self._datastore = CarePostgresDatastore(url)
        self.recorder = PostgresCareRecorder(self._datastore)
        self.recorder.migrate(report)

    def commit(self, batch: Batch) -> None:
        if is_empty(batch):
            return
        try:
            with self._cursor() as c, c.connection.transaction():
                self._write(c, batch)
        except IntegrityError as error:
            if not isinstance(error.__cause__, psycopg.errors.UniqueViolation):
                raise
            self._explain(batch)
        except (OperationalError, InterfaceError) as error:
            if waited_in_vain(error):
                end_silent_holders(self._datastore.connect)
                raise
            # The connection may have gone after the server committed: look before deciding.
            if not self._is_stored(batch):
                raise

    def _write(self, c: Cursor[Any], batch: Batch) -> None:
        if batch.events or batch.transitions or batch.tracking:
            lock_log(c.connection)
        guard(c, batch, "%s")
        for name, position in sorted(batch.tracking.items()):
            if c.execute(sql.SET_TRACKING, (name, position)).rowcount != 1:
                raise PositionPassed(f"feed {name} is already at or beyond {position}")
        events = in_order(batch.events)
        if events:
            copy_events(c, [e[:5] for e in events])
            c.execute(f"NOTIFY {CHANNEL}")
        self._write_versions(c, batch, events)
        self._write_views(c, batch)

    @staticmethod
    def _write_versions(c: Cursor[Any], batch: Batch, events: Sequence[StoredEvent]) -> None:
        rows = patient_rows(batch, events)
        if rows and c.execute(sql.SET_PATIENTS, sql.columns(rows)).rowcount != len(rows):
            raise StreamMoved("a patient's stream has a later version than the batch's")

    @staticmethod
    def _write_views(c: Cursor[Any], batch: Batch) -> None:
        if batch.assessments:
            c.execute(sql.SET_ASSESSMENTS, sql.assessment_columns(batch.assessments))
        if batch.removed_months:
            c.execute(sql.DELETE_ASSESSMENTS, sql.columns(gone_rows(batch)))
        if batch.transitions:
            c.execute(sql.SET_ALERTS, sql.alert_columns(batch.transitions))
            c.execute(sql.ADD_TRANSITIONS, sql.transition_columns(batch.transitions))
        if batch.enrolled:
            c.execute(sql.FORGET_ENROLLED, (sorted(batch.enrolled),))
            if rows := enrolled_rows(batch):
                c.execute(sql.ADD_ENROLLED, sql.columns(rows))
        if batch.dead_letters:
            c.execute(sql.ADD_LETTERS, sql.letter_columns(batch.dead_letters))
        letters.write(c, batch.letter_acts, "%s")
        if batch.replayed:
            c.execute(sql.MARK_REPLAYED, sql.columns(sorted(batch.replayed.items())))
            letters.check(c, batch, "%s")
        translated.write(c, batch, "%s")
        if batch.snapshots:
            postgres_snapshots.write(c, batch.snapshots)
        write_projected(c, batch.projected, "%s")

    def _explain(self, batch: Batch) -> NoReturn:
        """Which uniqueness the rolled back batch would have broken."""
        places = [(e.stream_id, e.version) for e in batch.events]
        moved = self._select(
            "SELECT originator_id FROM stored_events "
            "JOIN unnest(%b::text[], %b::int8[]) AS t (s, v) "
            "ON originator_id = s AND originator_version = v LIMIT 1",
            sql.columns(places) or [[], []],
        )
        if moved:
            raise StreamMoved(f"stream {moved[0][0]} has moved")
        if taken := self.holders([e.key for e in batch.events]) or doubled_keys(batch.events):
            raise KeysTaken(taken)
        raise StreamMoved("an event of the batch or an alert transition is already stored")

    def _is_stored(self, batch: Batch) -> bool:
        """Whether a batch whose commit was not answered is in the log after all.

        Taking the log's lock waits for a server process that may still be committing it.
        """
        if not batch.events and not batch.tracking:
            return False
        with self._cursor() as c, c.connection.transaction():
            lock_log(c.connection)
            for e in batch.events[:1]:
                c.execute(
                    "SELECT state FROM stored_events "
                    "WHERE originator_id = %s AND originator_version = %s",
                    (e.stream_id, e.version),
                )
                return bool(c.fetchone() == (e.state,))
            for name, position in batch.tracking.items():
                c.execute(
                    "SELECT notification_id FROM tracking WHERE application_name = %s", (name,)
                )
                if c.fetchone() != (position,):
                    return False
        return True

    def load(self, stream_ids: Sequence[str], form: str | None = None) -> dict[str, StoredStream]:
        streams = {s: StoredStream(s, None, [], []) for s in stream_ids}
        wanted = (list(streams),)
        with self._snapshot() as c:
            if form is not None:
                for stream, kept in postgres_snapshots.read(c, stream_ids, form).items():
                    streams[stream].snapshot = kept
            c.execute(
                f"SELECT {_EVENT} FROM unnest(%b::text[], %b::int8[]) AS wanted (stream, beyond) "
                "JOIN stored_events e ON originator_id = stream AND originator_version > beyond "
                "ORDER BY originator_id, originator_version",
                (*wanted, [after(stream) for stream in streams.values()]),
            )
            for row in c.fetchall():
                streams[row[0]].events.append(event(row))
            c.execute(
                f"SELECT stream_id, {_ALERT}, silent FROM alert_state WHERE stream_id = ANY(%b) "
                "ORDER BY stream_id, alert_id",
                wanted,
            )
            for row in c.fetchall():
                streams[row[0]].alerts.append(alert(row[1:]))
        return streams

    def tracking(self, name: str) -> int | None:
        position: int | None = self.recorder.max_tracking_id(name)
        return position

    def log(self, after: int, limit: int) -> list[StoredEvent]:
        rows = self._select(
            f"SELECT {_EVENT} FROM stored_events e WHERE notification_id > %s "
            "ORDER BY notification_id LIMIT %s",
            (after, limit),
        )
        return [event(row) for row in rows]

    def head(self) -> int:
        return self.recorder.max_notification_id() or 0

    def wait(self, after: int, timeout_seconds: float) -> bool:
        return self.recorder.wait_beyond(after, timeout_seconds)

    def holders(self, keys: Sequence[bytes]) -> dict[bytes, str]:
        return dict(
            self._select(
                "SELECT event_key, originator_id FROM stored_events WHERE event_key = ANY(%b)",
                (list(keys),),
            )
        )

    def versions(self, stream_ids: Sequence[str] | None = None) -> dict[str, int]:
        if stream_ids is None:
            return dict(self._select("SELECT stream_id, version FROM patients"))
        query = "SELECT stream_id, version FROM patients WHERE stream_id = ANY(%b)"
        return dict(self._select(query, (list(stream_ids),)))

    def assessments(
        self,
        practice: str | None = None,
        patient: str | None = None,
        month: str | None = None,
        status: str | None = None,
    ) -> Iterator[bytes]:
        query, values = sql.assessment_query(practice, patient, month, status)
        with self._datastore.get_connection() as connection, connection.transaction():
            named = connection.cursor(uuid4().hex, row_factory=tuple_row)
            with named as c:
                c.itersize = 2000
                c.execute(query.encode(), values, binary=True)
                for body, version in c:
                    yield whole_assessment(body, version)

    def transitions(self, after: int, limit: int) -> list[TransitionRow]:
        rows = self._select(
            f"SELECT position, stream_id, practice_id, patient_id, {_ALERT}, recorded_at_us, "
            "body, suppressed FROM transitions WHERE position > %s ORDER BY position LIMIT %s",
            (after, limit),
        )
        return [transition(row) for row in rows]

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        if letters:
            self._execute(sql.ADD_LETTERS, sql.letter_columns(letters))

    def dead_letters(self, after: int = 0, limit: int = 1000) -> list[DeadLetter]:
        query = SELECT_LETTERS.replace("?", "%s")
        return [letter(row) for row in self._select(query, (after, limit))]

    def delivered(self, sink: str) -> int:
        rows = self._select("SELECT position FROM delivered WHERE sink = %s", (sink,))
        return int(rows[0][0]) if rows else 0

    def set_delivered(self, sink: str, position: int) -> None:
        self._execute(sql.SET_DELIVERED, (sink, position))

    def counts(self) -> dict[str, int]:
        # Positions have no gaps and nothing is deleted: the greatest one is the number of rows.
        names = ("patients", "events", "assessments", "transitions", "dead_letters")
        (row,) = self._select(
            "SELECT (SELECT count(*) FROM patients), "
            "(SELECT coalesce(max(notification_id), 0) FROM stored_events), "
            "(SELECT count(*) FROM assessments), "
            "(SELECT coalesce(max(position), 0) FROM transitions), "
            "(SELECT count(*) FROM dead_letters)"
        )
        return dict(zip(names, row, strict=True))

    def close(self) -> None:
        self.recorder.close()

    @contextmanager
    def _cursor(self) -> Iterator[Cursor[Any]]:
        with self._datastore.get_connection() as connection:
            yield connection.cursor(row_factory=tuple_row, binary=True)

    @contextmanager
    def _snapshot(self) -> Iterator[Cursor[Any]]:
        """Several reads of one moment."""
        with self._cursor() as c, c.connection.transaction():
            c.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield c

    def _select(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._cursor() as c:
            return c.execute(query.encode(), values).fetchall()

    def _execute(self, statement: str, values: Sequence[Any]) -> None:
        with self._cursor() as c:
            c.execute(statement.encode(), values)
