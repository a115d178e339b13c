"""`projections.projected.Projected` on SQLite, PostgreSQL and in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from infra.codec import split_stream_id
from infra.eventstore.memory import MemoryStore
from infra.eventstore.sqlite_rows import alert
from infra.eventstore.transactions import (
    Cursor,
    Transaction,
    postgres_transaction,
    sqlite_transaction,
)
from projections.ports import AlertState, AssessmentRow, ProjectedRow, Store
from projections.projected import Projected, Stretch, pointer

ROW = "table_name, generation, part, at, key, body"


def open_projected(store: Store) -> Projected:
    """What the projections of an open store keep, in the same database."""
    if isinstance(store, MemoryStore):
        return MemoryProjected(store)
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, SQLiteStore):
        return SqlProjected(sqlite_transaction(store), "?")
    from infra.eventstore.postgres_projected import PostgresProjected

    return PostgresProjected(postgres_transaction(store), "%s")


class SqlProjected:
    """Projected rows in a table; `mark` is how the database writes a value's place.

    What is looked for is asked one by one, which costs nothing where the database is a library.
    """

    def __init__(self, transaction: Transaction, mark: str) -> None:
        self._transaction = transaction
        self._mark = mark

    def rows(
        self, table: str, generation: int, stretches: Collection[Stretch]
    ) -> list[ProjectedRow]:
        found: dict[tuple[str, int, str], ProjectedRow] = {}
        with self._transaction(False) as c:
            for stretch in stretches:
                self._execute(
                    c,
                    f"SELECT {ROW} FROM projected WHERE table_name = ? AND generation = ? "
                    "AND part = ? AND at BETWEEN ? AND ?",
                    (table, generation, *stretch),
                )
                found |= {(r.part, r.at, r.key): r for r in map(projected_row, c.fetchall())}
        return [found[where] for where in sorted(found)]

    def live_rows(self, projection: str, table: str, part: str | None = None) -> list[ProjectedRow]:
        narrowed = "" if part is None else "AND part = ? "
        with self._transaction(False) as c:
            self._execute(
                c,
                f"SELECT {ROW} FROM projected WHERE table_name = ? AND generation = coalesce("
                "(SELECT notification_id FROM tracking WHERE application_name = ?), 0) "
                f"{narrowed}ORDER BY part, at, key",
                (table, pointer(projection), *([] if part is None else [part])),
            )
            return [projected_row(row) for row in c.fetchall()]

    def standings(self, alerts: Collection[tuple[str, str]]) -> dict[str, AlertState]:
        found: dict[str, AlertState] = {}
        with self._transaction(False) as c:
            for stream_id, alert_id in sorted(alerts):
                self._execute(
                    c,
                    "SELECT alert_id, month, type, code, unit, transition, raised, silent "
                    "FROM alert_state WHERE stream_id = ? AND alert_id = ?",
                    (stream_id, alert_id),
                )
                found |= {row[0]: alert(row) for row in c.fetchall()}
        return found

    def answers(self, stream_ids: Sequence[str]) -> list[AssessmentRow]:
        found: list[AssessmentRow] = []
        with self._transaction(False) as c:
            for stream_id in stream_ids:
                self._execute(
                    c,
                    "SELECT stream_id, practice_id, patient_id, month, status, body "
                    "FROM assessments WHERE practice_id = ? AND patient_id = ? ORDER BY month",
                    split_stream_id(stream_id),
                )
                found += [AssessmentRow(*row) for row in c.fetchall()]
        return found

    def differing(self, tables: Collection[str], one: int, other: int) -> int:
        query = (
            "SELECT count(*) FROM (SELECT table_name, part, at, key, body FROM projected "
            "WHERE table_name = ? AND generation = ? EXCEPT SELECT table_name, part, at, key, body "
            "FROM projected WHERE table_name = ? AND generation = ?) AS lost"
        )
        found = 0
        with self._transaction(False) as c:
            for table in sorted(tables):
                for pair in ((one, other), (other, one)):
                    self._execute(c, query, (table, pair[0], table, pair[1]))
                    found += c.fetchone()[0]
        return found

    def drop(self, tables: Collection[str], before: int) -> None:
        with self._transaction(True) as c:
            for table in sorted(tables):
                statement = "DELETE FROM projected WHERE table_name = ? AND generation < ?"
                self._execute(c, statement, (table, before))

    def _execute(self, c: Cursor, statement: str, values: Sequence[Any]) -> None:
        c.execute(statement.replace("?", self._mark), values)


def projected_row(row: Any) -> ProjectedRow:
    return ProjectedRow(row[0], row[1], row[2], row[3], row[4], bytes(row[5]))


class MemoryProjected:
    """Projected rows of a store in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def rows(
        self, table: str, generation: int, stretches: Collection[Stretch]
    ) -> list[ProjectedRow]:
        return [
            row
            for row in self._all(table, generation)
            if any(row.part == s.part and s.first <= row.at <= s.last for s in stretches)
        ]

    def live_rows(self, projection: str, table: str, part: str | None = None) -> list[ProjectedRow]:
        generation = self._store.tracking(pointer(projection)) or 0
        return [row for row in self._all(table, generation) if part in (None, row.part)]

    def _all(self, table: str, generation: int) -> list[ProjectedRow]:
        rows = sorted(dict(self._store.projected).items())
        return [
            ProjectedRow(*where, body) for where, body in rows if where[:2] == (table, generation)
        ]

    def standings(self, alerts: Collection[tuple[str, str]]) -> dict[str, AlertState]:
        streams = self._store.load(sorted({stream for stream, _ in alerts}))
        return {
            state.alert_id: state
            for stream in streams.values()
            for state in stream.alerts
            if (stream.stream_id, state.alert_id) in alerts
        }

    def answers(self, stream_ids: Sequence[str]) -> list[AssessmentRow]:
        return self._store.rows_of(stream_ids)

    def differing(self, tables: Collection[str], one: int, other: int) -> int:
        first, second = (
            {
                (where[0], *where[2:], body)
                for where, body in self._store.projected.items()
                if where[0] in tables and where[1] == generation
            }
            for generation in (one, other)
        )
        return len(first ^ second)

    def drop(self, tables: Collection[str], before: int) -> None:
        for where in list(self._store.projected):
            if where[0] in tables and where[1] < before:
                del self._store.projected[where]
