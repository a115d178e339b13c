"""`projections.browsing.Browsing` on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from infra.codec import split_stream_id, stream_id
from infra.eventstore.rows import whole_assessment
from infra.eventstore.sqlite_rows import transition
from infra.eventstore.transactions import Cursor
from infra.eventstore.transparency import open_transaction
from projections.browsing import Browsing, Place, Wanted
from projections.ports import Store, TransitionRow

BEYOND_SLASH: Final = "0"
"""The character after '/': stream ids of a practice lie between `<practice>/` and this."""

_FIRST_BEYOND = "SELECT min(stream_id) FROM patients WHERE stream_id > ?"
_PATIENTS = (
    "SELECT patient_id FROM patients WHERE stream_id > ? AND stream_id < ? "
    "ORDER BY stream_id LIMIT ?"
)
_ASSESSMENTS = (
    "SELECT a.practice_id, a.patient_id, a.month, a.body, coalesce(p.version, 0) "
    "FROM assessments a LEFT JOIN patients p ON p.stream_id = a.stream_id WHERE {} "
    "ORDER BY a.practice_id, a.patient_id, a.month LIMIT ?"
)
# By way of the patient's alerts, whose index leads there: there is none by patient.
_TRANSITIONS = (
    "SELECT t.position, t.stream_id, t.practice_id, t.patient_id, t.alert_id, t.month, t.type, "
    "t.code, t.unit, t.transition, t.raised, t.recorded_at_us, t.body, t.suppressed "
    "FROM alert_state s JOIN transitions t ON t.alert_id = s.alert_id "
    "WHERE s.stream_id = ? ORDER BY t.position"
)


def open_browsing(store: Store) -> Browsing:
    """Pages of an open store. Raises TypeError for one in memory, which nobody browses."""
    return SqlBrowsing(*open_transaction(store))


class SqlBrowsing:
    """Pages by key, never by offset: the last page costs as much as the first."""

    def __init__(self, transaction: Any, mark: str) -> None:
        """`mark` is how the database writes a value's place."""
        self._transaction, self._mark = transaction, mark

    def practices(self) -> list[str]:
        found: list[str] = []
        beyond = ""
        with self._transaction(False) as c:
            while (first := self._rows(c, _FIRST_BEYOND, (beyond,))[0][0]) is not None:
                practice = split_stream_id(first)[0]
                found.append(practice)
                beyond = _end(practice)
        return sorted(found)

    def patients(self, practice: str, after: str, limit: int) -> list[str]:
        bounds = (stream_id(practice, after), _end(practice), limit)
        with self._transaction(False) as c:
            return [row[0] for row in self._rows(c, _PATIENTS, bounds)]

    def assessments(
        self, wanted: Wanted, after: Place | None, limit: int
    ) -> list[tuple[Place, bytes]]:
        where, values = _where(wanted, after)
        with self._transaction(False) as c:
            rows = self._rows(c, _ASSESSMENTS.format(where), (*values, limit))
        return [(Place(*row[:3]), whole_assessment(bytes(row[3]), row[4])) for row in rows]

    def transitions(self, stream_id: str) -> list[TransitionRow]:
        with self._transaction(False) as c:
            return [transition(row) for row in self._rows(c, _TRANSITIONS, (stream_id,))]

    def _rows(self, c: Cursor, query: str, values: Sequence[Any]) -> list[Any]:
        c.execute(query.replace("?", self._mark), values)
        return c.fetchall()


def _end(practice: str) -> str:
    return stream_id(practice, "")[:-1] + BEYOND_SLASH


def _where(wanted: Wanted, after: Place | None) -> tuple[str, list[str]]:
    parts, values = ["1 = 1"], list[str]()
    if after is not None:
        parts.append("(a.practice_id, a.patient_id, a.month) > (?,?,?)")
        values += after
    if wanted.practices is not None:
        marks = ",".join("?" * len(wanted.practices))
        parts.append(f"a.practice_id IN ({marks})" if marks else "1 = 0")
        values += sorted(wanted.practices)
    columns = (("patient_id", wanted.patient), ("month", wanted.month), ("status", wanted.status))
    for column, value in columns:
        if value is not None:
            parts.append(f"a.{column} = ?")
            values.append(value)
    return " AND ".join(parts), values
