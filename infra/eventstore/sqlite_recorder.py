"""The eventsourcing library's SQLite recorder, made safe for a log that others tail.

What differs from the library: positions from AUTOINCREMENT, immediate write transactions, full
synchronisation asked for by name, and `subscribe()`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition
from time import monotonic, sleep
from typing import Any
from uuid import UUID

from eventsourcing.persistence import (
    ApplicationRecorder,
    ConnectionPoolClosedError,
    InterfaceError,
    Notification,
    StoredEvent,
    Subscription,
)
from eventsourcing.sqlite import (
    SQLiteConnection,
    SQLiteConnectionPool,
    SQLiteCursor,
    SQLiteDatastore,
    SQLiteProcessRecorder,
    SQLiteTransaction,
)

from infra.eventstore.schema import Report, pending, silent
from infra.eventstore.subscription import WaitingSubscription

LOCK_TIMEOUT_SECONDS = 30
CLOSE_TIMEOUT_SECONDS = 2.0
"""How long a close waits for those who still read or write."""
POLL_SECONDS = 0.04
"""How often a waiting reader looks for what other processes wrote."""

CACHE_KIB = 64 * 1024
CHECKPOINT_PAGES = 32_000
"""Pages in the write-ahead log before it is folded in: 125 MiB, so that pages which every large
transaction touches (the index of keys) are written into the database once in several."""

_NO_END = 2**63 - 1


class CarePool(SQLiteConnectionPool):
    """Connections with durability and cache size set by name, not by default."""

    _ending = False

    def get_connection(self, *args: Any, **kwargs: Any) -> SQLiteConnection:
        if self._ending:
            raise ConnectionPoolClosedError("the database is being closed")
        return super().get_connection(*args, **kwargs)

    def close(self) -> None:
        """Close the connections, those in use when they come back.

        SQLite ends the whole process when one is closed under a running statement: what does not
        come back in time is left open.
        """
        self._ending = True
        with self._put_condition:
            self._put_condition.wait_for(lambda: not self._in_use, CLOSE_TIMEOUT_SECONDS)
            self._in_use.clear()
        super().close()

    def _create_connection(self) -> SQLiteConnection:
        connection = self._open()
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        cursor.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT_PAGES}")
        return connection

    def _open(self) -> SQLiteConnection:
        deadline = monotonic() + LOCK_TIMEOUT_SECONDS
        while True:
            try:
                return super()._create_connection()
            except (sqlite3.OperationalError, InterfaceError) as error:
                # Who opens a new file beside others finds it locked while one switches to WAL.
                if "locked" not in str(error) or monotonic() > deadline:
                    raise InterfaceError(f"cannot open {self.db_name}: {error}") from error
                sleep(POLL_SECONDS)


class CareDatastore(SQLiteDatastore):
    """A SQLite database; write transactions take the write lock when they begin."""

    def __init__(self, db_name: str) -> None:
        super().__init__(db_name, originator_id_type="text")
        in_memory = db_name == ":memory:"
        self.pool = CarePool(
            db_name=db_name,
            lock_timeout=LOCK_TIMEOUT_SECONDS,
            # A plain in-memory database is its connection: there must never be a second one.
            pool_size=1 if in_memory else 5,
            max_overflow=0 if in_memory else 20,
            pool_timeout=float(LOCK_TIMEOUT_SECONDS),
        )

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with self.get_connection(commit=commit) as connection:
            kind = _Immediate if commit else SQLiteTransaction
            with kind(connection, commit=commit) as cursor, cursor:
                yield cursor


class _Immediate(SQLiteTransaction):
    def __enter__(self) -> SQLiteCursor:
        cursor = self.connection.cursor()
        cursor.execute("BEGIN IMMEDIATE")
        return cursor


class SQLiteCareRecorder(SQLiteProcessRecorder):
    """Stored events and tracking of the library's interface on our schema."""

    datastore: CareDatastore

    def __init__(
        self, datastore: SQLiteDatastore, *, events_table_name: str = "stored_events"
    ) -> None:
        super().__init__(datastore, events_table_name=events_table_name)
        self._written = Condition()
        self.insert_events_statement = (
            "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
            "VALUES (?,?,?,?)"
        )

    def construct_create_table_statements(self) -> list[str]:
        return []

    def create_table(self) -> None:
        self.migrate()

    def migrate(self, report: Report = silent) -> None:
        """Bring the schema to this release's version. Raises SchemaTooNew, changes nothing then."""
        with self.datastore.transaction(commit=True) as c:
            c.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
            c.execute("SELECT coalesce(max(version), 0) FROM schema_version")
            for step in pending("sqlite", c.fetchone()[0]):
                for statement in step.statements:
                    c.execute(statement)
                c.execute("INSERT INTO schema_version VALUES (?)", (step.version,))
                report(f"schema version {step.version} applied")

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        positions = super().insert_events(stored_events, **kwargs)
        self.announce()
        return positions

    def _insert_events(
        self, c: SQLiteCursor, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        tracking = kwargs.get("tracking")
        if tracking is not None:
            self._insert_tracking(c, tracking)
        before = self._last_position(c)
        rows = [
            (_text(s.originator_id), s.originator_version, s.topic, s.state) for s in stored_events
        ]
        c.executemany(self.insert_events_statement, rows)
        return list(range(before + 1, before + 1 + len(rows)))

    @staticmethod
    def _last_position(c: SQLiteCursor) -> int:
        """The last position given out; inside a write transaction the next ones follow on it."""
        c.execute("SELECT seq FROM sqlite_sequence WHERE name='stored_events'")
        row = c.fetchone()
        return 0 if row is None else int(row[0])

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        first = -1 if start is None else start if inclusive_of_start else start + 1
        narrowed = f"AND topic IN ({','.join('?' * len(topics))}) " if topics else ""
        with self.datastore.transaction(commit=False) as c:
            c.execute(
                "SELECT originator_id, originator_version, topic, state, position "
                f"FROM stored_events WHERE position BETWEEN ? AND ? {narrowed}"
                "ORDER BY position LIMIT ?",
                (first, _NO_END if stop is None else stop, *topics, limit),
            )
            return [Notification(*row) for row in c.fetchall()]

    def announce(self) -> None:
        """Wake this process's waiting readers."""
        with self._written:
            self._written.notify_all()

    def wait_beyond(self, position: int, timeout_seconds: float) -> bool:
        """Block until an event beyond `position` is stored by anyone; False at the timeout."""
        deadline = monotonic() + timeout_seconds
        while True:
            with self._written:
                if (self.max_notification_id() or 0) > position:
                    return True
                remaining = deadline - monotonic()
                if remaining <= 0:
                    return False
                self._written.wait(min(POLL_SECONDS, remaining))

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Events after `gt` for ever, also those that other processes write."""
        return WaitingSubscription(self, self, gt, tuple(topics))


def _text(originator_id: UUID | str) -> str:
    return originator_id.hex if isinstance(originator_id, UUID) else originator_id
