"""The eventsourcing library's PostgreSQL recorder on our schema.

What differs from the library: positions are numbered under the table lock, so they have no gaps;
rows are copied in instead of built as composites; waiting survives a lost connection.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent, Subscription
from eventsourcing.postgres import PostgresDatastore, PostgresProcessRecorder
from psycopg import Connection, Cursor
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import tuple_row

from infra.eventstore.postgres_listener import Listener
from infra.eventstore.postgres_lock import lock_log
from infra.eventstore.postgres_pool import pool
from infra.eventstore.schema import Report, pending, silent
from infra.eventstore.subscription import WaitingSubscription

CHANNEL = "caretally_events"

_MIGRATION_LOCK = 4_803_159_220_171
_COPY = (
    "COPY stored_events (originator_id, originator_version, topic, state, notification_id, "
    "event_key) FROM STDIN (FORMAT BINARY)"
)
_TYPES = ["text", "int8", "text", "bytea", "int8", "bytea"]


class CarePostgresDatastore(PostgresDatastore):
    """A database named by a URL, with every setting the URL carries."""

    def __init__(self, url: str) -> None:
        self.settings: dict[str, Any] = {
            name: value for name, value in conninfo_to_dict(url).items() if value is not None
        }
        super().__init__(
            dbname=str(self.settings.get("dbname", "")),
            host=str(self.settings.get("host", "")),
            port=self.settings.get("port", ""),
            user=str(self.settings.get("user", "")),
            password=str(self.settings.get("password", "")),
            originator_id_type="text",
        )
        self.pool = pool(self.settings, self.after_connect_func())

    def connect(self) -> Connection[Any]:
        """A connection of its own, outside the pool."""
        return psycopg.connect(**self.settings, autocommit=True)


def copy_events(
    cursor: Cursor[Any], rows: Sequence[tuple[str, int, str, bytes, bytes | None]]
) -> list[int]:
    """Number and write events under the log's lock, which the transaction must hold already."""
    cursor.execute("SELECT coalesce(max(notification_id), 0) FROM stored_events")
    (last,) = cursor.fetchone() or (0,)
    with cursor.copy(_COPY) as copy:
        copy.set_types(_TYPES)
        for position, (stream, version, topic, state, key) in enumerate(rows, last + 1):
            copy.write_row((stream, version, topic, state, position, key))
    return list(range(last + 1, last + 1 + len(rows)))


class PostgresCareRecorder(PostgresProcessRecorder):
    """Stored events and tracking of the library's interface on our schema."""

    datastore: CarePostgresDatastore

    def __init__(
        self,
        datastore: PostgresDatastore,
        *,
        events_table_name: str = "stored_events",
        tracking_table_name: str = "tracking",
    ) -> None:
        super().__init__(
            datastore, events_table_name=events_table_name, tracking_table_name=tracking_table_name
        )
        self._listener = Listener(self.datastore.connect, CHANNEL)

    def create_table(self) -> None:
        self.migrate()

    def migrate(self, report: Report = silent) -> None:
        """Bring the schema to this release's version. Raises SchemaTooNew, changes nothing then."""
        with self.datastore.transaction(commit=True) as c:
            c.execute("SHOW server_encoding")
            encoding = (c.fetchone() or {})["server_encoding"]
            if encoding != "UTF8":
                raise ValueError(f"the database has encoding {encoding}, expected UTF8")
            c.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
            c.execute("CREATE TABLE IF NOT EXISTS schema_version (version bigint PRIMARY KEY)")
            c.execute("SELECT coalesce(max(version), 0) AS current FROM schema_version")
            for step in pending("postgres", (c.fetchone() or {})["current"]):
                for statement in step.statements:
                    c.execute(statement.encode())
                c.execute("INSERT INTO schema_version VALUES (%s)", (step.version,))
                report(f"schema version {step.version} applied")

    def insert_events(
        self, stored_events: Sequence[StoredEvent], **kwargs: Any
    ) -> Sequence[int] | None:
        rows = [
            (str(e.originator_id), e.originator_version, e.topic, e.state, None)
            for e in stored_events
        ]
        with self.datastore.transaction(commit=True) as c:
            lock_log(c.connection)
            self._insert_events(c, stored_events, **kwargs)
            with c.connection.cursor(row_factory=tuple_row) as plain:
                positions = copy_events(plain, rows)
                plain.execute(f"NOTIFY {CHANNEL}")
        return positions

    def wait_beyond(self, position: int, timeout_seconds: float) -> bool:
        """Block until an event beyond `position` is stored by anyone; False at the timeout."""
        return self._listener.wait(
            lambda: (self.max_notification_id() or 0) > position, timeout_seconds
        )

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Events after `gt` for ever, also those that other processes write."""
        return WaitingSubscription(self, self, gt, tuple(topics))

    def close(self) -> None:
        """Stop listening and let go of the pool."""
        self._listener.close()
        self.datastore.close()
