"""`projections.feed.AssessmentFeed` on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from infra.codec import split_stream_id
from infra.eventstore.memory import MemoryStore
from infra.eventstore.rebuilding import ASSESSMENTS
from infra.eventstore.sqlite_rows import chunks
from infra.eventstore.transactions import (
    Cursor,
    Transaction,
    postgres_transaction,
    sqlite_transaction,
)
from projections.feed import AssessmentFeed, Changes, PatientMonth
from projections.ports import AssessmentRow, Store

PATIENTS_A_QUERY: Final = 200

_EVENTS = (
    "SELECT originator_id, originator_version, {position} FROM stored_events "
    "WHERE {position} > ? ORDER BY {position} LIMIT ?"
)
# The order of the join is the order in which SQLite reads: patient by patient.
_WANTED = "WITH wanted (practice, patient, first, last) AS (VALUES {marks}) "
_ROWS = (
    _WANTED + "SELECT a.stream_id, a.practice_id, a.patient_id, a.month, a.status, a.body, "
    "a.version FROM wanted CROSS JOIN assessments a WHERE a.practice_id = practice "
    "AND a.patient_id = patient AND a.version BETWEEN first AND last"
)
_GONE = (
    _WANTED + "SELECT g.practice_id, g.patient_id, g.month, g.version "
    "FROM wanted CROSS JOIN assessments_gone g WHERE g.practice_id = practice "
    "AND g.patient_id = patient AND g.version BETWEEN first AND last AND NOT EXISTS ("
    "SELECT 1 FROM assessments a WHERE a.practice_id = g.practice_id "
    "AND a.patient_id = g.patient_id AND a.month = g.month)"
)


def open_assessment_feed(store: Store) -> AssessmentFeed:
    """The feed of an open store. Raises TypeError for one in memory, which nobody follows."""
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, MemoryStore):
        raise TypeError("a store in memory has no assessments that others could follow")
    if isinstance(store, SQLiteStore):
        return SqlAssessmentFeed(sqlite_transaction(store), "?", "position")
    return SqlAssessmentFeed(postgres_transaction(store), "%s", "notification_id")


class SqlAssessmentFeed:
    """The feed from the log and the live table, which one transaction wrote together.

    Every row bears the version of its patient's last event that touched it, and that event lies in
    the log at a place that no later commit can come before. So whoever has read the log up to a
    place has been given every row whose last event lies before it.
    """

    def __init__(self, transaction: Transaction, mark: str, position: str) -> None:
        """`mark` is how the database writes a value's place, `position` the log's column."""
        self._transaction = transaction
        self._mark = mark
        self._events = _EVENTS.format(position=position).replace("?", mark)

    def switches(self) -> int:
        query = f"SELECT switches FROM read_models WHERE name = {self._mark}"
        with self._transaction(False) as c:
            c.execute(query, (ASSESSMENTS,))
            row = c.fetchone()
        return int(row[0]) if row else 0

    def changes(self, after: int, limit: int) -> Changes:
        with self._transaction(False) as c:
            c.execute(self._events, (after, limit))
            events = c.fetchall()
            if not events:
                return Changes([], [], after)
            versions: dict[str, tuple[int, int]] = {}
            for stream, version, _ in events:
                versions[stream] = (versions.get(stream, (version,))[0], version)
            wanted = [(*split_stream_id(s), first, last) for s, (first, last) in versions.items()]
            rows = [AssessmentRow(*row) for row in self._join(c, _ROWS, wanted)]
            gone = [PatientMonth(*row) for row in self._join(c, _GONE, wanted)]
        return Changes(rows, gone, events[-1][2])

    def _join(
        self, c: Cursor, query: str, wanted: Sequence[tuple[str, str, int, int]]
    ) -> list[Any]:
        found: list[Any] = []
        for part in chunks(wanted, PATIENTS_A_QUERY):
            marks = ",".join(["(?,?,?,?)"] * len(part))
            statement = query.format(marks=marks).replace("?", self._mark)
            c.execute(statement, [value for patient in part for value in patient])
            found += c.fetchall()
        return found
