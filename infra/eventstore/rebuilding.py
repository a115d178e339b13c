"""`projections.rebuilding.Rebuilding` on SQLite and PostgreSQL.

The live table and the one being made change names in one transaction that no event can come
between. A reader is in the one or in the other, never in both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from infra.codec import split_stream_id
from infra.eventstore.memory import MemoryStore
from infra.eventstore.rebuild_dialects import SQLITE, Dialect, postgres
from infra.eventstore.sqlite_rows import event
from infra.eventstore.transactions import (
    Cursor,
    Transaction,
    postgres_transaction,
    sqlite_transaction,
)
from projections.ports import AssessmentRow, Store, StoredStream
from projections.rebuilding import (
    Difference,
    History,
    Kind,
    Made,
    Progress,
    Rebuilding,
    RebuildTaken,
    Remake,
)

ASSESSMENTS: Final = "assessments"
LOCK_NOT_AVAILABLE: Final = "55P03"
"""PostgreSQL's code for a lock that was not to be had in time."""

_RENAMES: Final = (
    "ALTER TABLE assessments RENAME TO assessments_before",
    "ALTER TABLE assessments_next RENAME TO assessments",
    "ALTER TABLE assessments_before RENAME TO assessments_next",
)

# What the live table has too much was found by comparing, up to the last event before the switch.
_NOTE_GONE: Final = (
    "INSERT INTO assessments_gone SELECT d.practice_id, d.patient_id, d.month, p.version "
    "FROM rebuild_differences d JOIN assessments a ON a.practice_id = d.practice_id "
    "AND a.patient_id = d.patient_id AND a.month = d.month "
    f"JOIN patients p ON p.stream_id = a.stream_id WHERE d.kind = '{Kind.LEFT_OVER}' "
    "ON CONFLICT (practice_id, patient_id, month) DO UPDATE SET version = excluded.version"
)
_SWITCHED: Final = (
    "INSERT INTO read_models (name, making, switches) VALUES (?,?,1) ON CONFLICT (name) "
    "DO UPDATE SET making = excluded.making, switches = read_models.switches + 1"
)


def open_rebuilding(store: Store) -> Rebuilding:
    """The rebuild of an open store. Raises TypeError for one in memory: nothing of it is stale."""
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, MemoryStore):
        raise TypeError("a store in memory has no read models to rebuild")
    if isinstance(store, SQLiteStore):
        return SqlRebuilding(sqlite_transaction(store), SQLITE)
    return SqlRebuilding(postgres_transaction(store), postgres())


class _NotNow(Exception):
    """The switch has to wait: roll back."""


class SqlRebuilding:
    """The rebuild in tables beside the live one."""

    def __init__(self, transaction: Transaction, dialect: Dialect) -> None:
        self._transaction = transaction
        self._dialect = dialect

    def making(self) -> str:
        with self._transaction(False) as c:
            c.execute(self._sql("SELECT making FROM read_models WHERE name = ?"), (ASSESSMENTS,))
            row = c.fetchone()
        return str(row[0]) if row else ""

    def begin(self, making: str) -> Progress:
        with self._transaction(True) as c:
            self._execute_all(c, self._dialect.hold_rebuild)
            found = _progress(c)
            if found is not None and found.making == making:
                return found
            c.execute("DELETE FROM rebuild")
            c.execute("DELETE FROM rebuild_differences")
            c.execute("DELETE FROM assessments_next")
            c.execute(f"SELECT coalesce(max({self._dialect.position}), 0) FROM stored_events")
            begun = Progress(making, "", False, int(c.fetchone()[0]))
            c.execute(self._sql("INSERT INTO rebuild VALUES (?,?,?,?)"), _row(begun))
        return begun

    def streams(self, after: str, limit: int) -> list[str]:
        query = "SELECT stream_id FROM patients WHERE stream_id > ? ORDER BY stream_id LIMIT ?"
        with self._transaction(False) as c:
            c.execute(self._sql(query), (after, limit))
            return [row[0] for row in c.fetchall()]

    def moved(self, after: int, limit: int) -> tuple[list[str], int]:
        with self._transaction(False) as c:
            return self._moved(c, after, limit)

    def _moved(self, c: Cursor, after: int, limit: int) -> tuple[list[str], int]:
        position = self._dialect.position
        c.execute(
            self._sql(
                f"SELECT originator_id, {position} FROM stored_events WHERE {position} > ? "
                f"ORDER BY {position} LIMIT ?"
            ),
            (after, limit),
        )
        rows = c.fetchall()
        return list(dict.fromkeys(row[0] for row in rows)), rows[-1][1] if rows else after

    def histories(self, beyond: Mapping[str, int]) -> list[History]:
        if not beyond:
            return []
        with self._transaction(False) as c:
            self._execute_all(c, self._dialect.hold_live)
            return self._histories(c, beyond)

    def _histories(self, c: Cursor, beyond: Mapping[str, int]) -> list[History]:
        streams = {s: StoredStream(s, None, [], []) for s in beyond}
        live: dict[str, list[AssessmentRow]] = {s: [] for s in beyond}
        pairs = ",".join(["(?,?)"] * len(beyond))
        # CROSS JOIN: SQLite keeps the order, so that it looks up what is wanted and no more.
        c.execute(
            self._sql(
                f"WITH wanted (stream, beyond) AS (VALUES {pairs}) "
                "SELECT originator_id, originator_version, topic, state, event_key, "
                f"{self._dialect.position} FROM wanted CROSS JOIN stored_events "
                "WHERE originator_id = stream AND originator_version > beyond "
                "ORDER BY originator_id, originator_version"
            ),
            [value for wanted in beyond.items() for value in wanted],
        )
        for row in c.fetchall():
            streams[row[0]].events.append(event(row))
        c.execute(
            self._sql(
                f"WITH wanted (practice, patient) AS (VALUES {pairs}) "
                "SELECT stream_id, practice_id, patient_id, month, status, body "
                "FROM wanted CROSS JOIN assessments "
                "WHERE practice_id = practice AND patient_id = patient"
            ),
            [value for stream in beyond for value in split_stream_id(stream)],
        )
        for row in c.fetchall():
            live[row[0]].append(AssessmentRow(*row))
        return [History(streams[s], live[s]) for s in beyond]

    def keep(self, before: Progress, after: Progress, made: Sequence[Made]) -> None:
        with self._transaction(True) as c:
            self._step(c, before, after)
            self._write(c, made, anew=before.whole)

    def _step(self, c: Cursor, before: Progress, after: Progress) -> None:
        """Move the progress on, if it is still where this process left it."""
        c.execute(
            self._sql(
                "UPDATE rebuild SET stream = ?, whole = ?, position = ? "
                "WHERE making = ? AND stream = ? AND whole = ? AND position = ?"
            ),
            (*_row(after)[1:], *_row(before)),
        )
        if c.rowcount != 1:
            raise RebuildTaken("another process works on this rebuild, or has finished it")

    def _write(self, c: Cursor, made: Sequence[Made], anew: bool = True) -> None:
        """`anew`: months may have been made before, along with what differed in them."""
        if anew:
            months = [(*split_stream_id(m.stream_id), month) for m in made for month in m.months]
            where = "practice_id = ? AND patient_id = ? AND month = ?"
            self._many(c, f"DELETE FROM assessments_next WHERE {where}", months)
            self._many(c, f"DELETE FROM rebuild_differences WHERE {where}", months)
        rows = [
            (r.practice_id, r.patient_id, r.month, r.stream_id, r.status, r.body, r.version)
            for m in made
            for r in m.rows
        ]
        self._many(c, "INSERT INTO assessments_next VALUES (?,?,?,?,?,?,?)", rows)
        different = [
            (d.practice_id, d.patient_id, d.month, d.kind.value, ",".join(d.members))
            for m in made
            for d in m.differences
        ]
        self._many(c, "INSERT INTO rebuild_differences VALUES (?,?,?,?,?)", different)

    def switch(
        self, before: Progress, remake: Remake, versions: Callable[[str], int], events_max: int
    ) -> bool:
        try:
            with self._transaction(True) as c:
                self._execute_all(c, self._dialect.hold_log)
                self._step(c, before, before)
                self._catch_up(c, before, remake, versions, events_max)
                c.execute(_NOTE_GONE)
                self._execute_all(c, self._dialect.hold_readers)
                self._execute_all(c, _RENAMES)
                c.execute("DELETE FROM rebuild")
                c.execute(self._sql(_SWITCHED), (ASSESSMENTS, before.making))
        except _NotNow:
            return False
        except Exception as error:
            if not _locked_out(error):
                raise
            return False
        return True

    def _catch_up(
        self,
        c: Cursor,
        before: Progress,
        remake: Remake,
        versions: Callable[[str], int],
        events_max: int,
    ) -> None:
        streams, last = self._moved(c, before.position, events_max)
        if self._moved(c, last, 1)[0]:
            raise _NotNow
        if not streams:
            return
        beyond = {stream: versions(stream) for stream in streams}
        self._write(c, remake(self._histories(c, beyond)))

    def differences(self) -> Iterator[Difference]:
        query = (
            "SELECT practice_id, patient_id, month, kind, members FROM rebuild_differences "
            "ORDER BY practice_id, patient_id, month"
        )
        with self._transaction(False) as c:
            c.execute(query)
            rows = c.fetchall()
        for practice, patient, month, kind, members in rows:
            names = tuple(members.split(",")) if members else ()
            yield Difference(practice, patient, month, Kind(kind), names)

    def clear(self) -> None:
        with self._transaction(True) as c:
            if _progress(c) is None:
                c.execute(self._dialect.empty)

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._dialect.mark)

    def _many(self, c: Cursor, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        if rows:
            c.executemany(self._sql(statement), rows)

    @staticmethod
    def _execute_all(c: Cursor, statements: Sequence[str]) -> None:
        for statement in statements:
            c.execute(statement)


def _progress(c: Cursor) -> Progress | None:
    c.execute("SELECT making, stream, whole, position FROM rebuild")
    row = c.fetchone()
    return Progress(row[0], row[1], bool(row[2]), row[3]) if row else None


def _row(progress: Progress) -> tuple[str, str, int, int]:
    return (progress.making, progress.stream, int(progress.whole), progress.position)


def _locked_out(error: Exception) -> bool:
    """Whether PostgreSQL gave up waiting for a lock; SQLite has given up waiting long before."""
    causes = (error, error.__cause__)
    return any(getattr(cause, "sqlstate", None) == LOCK_NOT_AVAILABLE for cause in causes)
