"""`projections.enrolled.EnrolledPatients` on SQLite, PostgreSQL and beside a store in memory."""

from __future__ import annotations

from typing import Any

from infra.codec import split_stream_id
from infra.eventstore.memory import MemoryStore
from infra.eventstore.transactions import (
    Transaction,
    postgres_transaction,
    sqlite_transaction,
)
from projections.enrolled import EnrolledPatients
from projections.ports import Store

_EARNED = ("billable", "blocked", "claimed")
_AT_RISK = "month.at-risk"
_ENDS_WITH_MONTH = ("threshold.approaching", _AT_RISK)

_ENROLLED = (
    "e.practice_id = ? AND e.timezone = ? AND e.first_month <= ? AND e.last_month >= ? "
    "AND e.stream_id > ? ORDER BY e.stream_id LIMIT ?"
)
SHORT = (
    "SELECT DISTINCT e.stream_id FROM enrolled_months e "
    "JOIN patients p ON p.stream_id = e.stream_id "
    "WHERE NOT EXISTS (SELECT 1 FROM assessments a WHERE a.practice_id = p.practice_id "
    "AND a.patient_id = p.patient_id AND a.month = ? "
    f"AND a.status IN {_EARNED}) "
    "AND NOT EXISTS (SELECT 1 FROM alert_state s WHERE s.stream_id = e.stream_id "
    f"AND s.month = ? AND s.type = '{_AT_RISK}' AND s.raised) AND {_ENROLLED}"
)
WATCHED = (
    "SELECT DISTINCT e.stream_id FROM enrolled_months e "
    "JOIN alert_state s ON s.stream_id = e.stream_id AND s.month = ? "
    f"AND s.type IN {_ENDS_WITH_MONTH} AND s.raised WHERE {_ENROLLED}"
)
UNKNOWN = (
    "SELECT stream_id FROM patients p WHERE stream_id > ? AND NOT EXISTS "
    "(SELECT 1 FROM enrolled_months e WHERE e.stream_id = p.stream_id) "
    "ORDER BY stream_id LIMIT ?"
)


def open_enrolled(store: Store) -> EnrolledPatients:
    """The read model that belongs to an open store and lives in the same database."""
    if isinstance(store, MemoryStore):
        return MemoryEnrolled(store)
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, SQLiteStore):
        return SqlEnrolled(sqlite_transaction(store), "?")
    return SqlEnrolled(postgres_transaction(store), "%s")


class SqlEnrolled:
    """The read model in a table; `mark` is how the database writes a value's place."""

    def __init__(self, transaction: Transaction, mark: str) -> None:
        self._transaction = transaction
        self._mark = mark

    def zones(self) -> list[tuple[str, str]]:
        found = self._rows(
            "SELECT DISTINCT practice_id, timezone FROM enrolled_months "
            "ORDER BY practice_id, timezone",
            (),
        )
        return [(practice, zone) for practice, zone in found]

    def short_in(self, practice: str, zone: str, month: str, after: str, limit: int) -> list[str]:
        values = (month, month, practice, zone, month, month, after, limit)
        return [stream for (stream,) in self._rows(SHORT, values)]

    def watched_in(self, practice: str, zone: str, month: str, after: str, limit: int) -> list[str]:
        values = (month, practice, zone, month, month, after, limit)
        return [stream for (stream,) in self._rows(WATCHED, values)]

    def unknown(self, after: str, limit: int) -> list[str]:
        return [stream for (stream,) in self._rows(UNKNOWN, (after, limit))]

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._transaction(False) as c:
            c.execute(statement.replace("?", self._mark), values)
            return c.fetchall()


class MemoryEnrolled:
    """The same answers as the table gives."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def zones(self) -> list[tuple[str, str]]:
        streams = self._store.enrolled.items()
        return sorted({(split_stream_id(s)[0], e.timezone) for s, all in streams for e in all})

    def short_in(self, practice: str, zone: str, month: str, after: str, limit: int) -> list[str]:
        return [
            stream
            for stream in self._enrolled(practice, zone, month, after)
            if not self._has_earned(stream, month) and not self._stands(stream, month, (_AT_RISK,))
        ][:limit]

    def watched_in(self, practice: str, zone: str, month: str, after: str, limit: int) -> list[str]:
        return [
            stream
            for stream in self._enrolled(practice, zone, month, after)
            if self._stands(stream, month, _ENDS_WITH_MONTH)
        ][:limit]

    def unknown(self, after: str, limit: int) -> list[str]:
        known = self._store.enrolled
        return [s for s in sorted(self._store.versions()) if s > after and not known.get(s)][:limit]

    def _enrolled(self, practice: str, zone: str, month: str, after: str) -> list[str]:
        return [
            stream
            for stream, all in sorted(self._store.enrolled.items())
            if stream > after
            and split_stream_id(stream)[0] == practice
            and any(e.timezone == zone and e.first_month <= month <= e.last_month for e in all)
        ]

    def _has_earned(self, stream: str, month: str) -> bool:
        address = split_stream_id(stream)
        return any(
            next(self._store.assessments(*address, month, status), None) for status in _EARNED
        )

    def _stands(self, stream: str, month: str, types: tuple[str, ...]) -> bool:
        alerts = self._store.load([stream])[stream].alerts
        return any(s.raised and s.month == month and s.type in types for s in alerts)
