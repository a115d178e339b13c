"""SQLite's statements, and rows to and from the port's objects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from infra.eventstore.rows import decode_headers
from projections.ports import AlertState, DeadLetter, StoredEvent, TransitionRow

_T = TypeVar("_T")

INSERT_EVENT = (
    "INSERT INTO stored_events (originator_id, originator_version, topic, state, event_key) "
    "VALUES (?,?,?,?,?)"
)
SET_PATIENT = (
    "INSERT INTO patients VALUES (?,?,?,?,?) ON CONFLICT (stream_id) DO UPDATE "
    "SET version = excluded.version, head = CASE WHEN excluded.head IS NULL "
    "AND version = excluded.version THEN head ELSE excluded.head END "
    "WHERE version <= excluded.version"
)
SET_ASSESSMENT = (
    "INSERT INTO assessments VALUES (?,?,?,?,?,?,?) ON CONFLICT (practice_id, patient_id, month) "
    "DO UPDATE SET status = excluded.status, body = excluded.body, version = excluded.version"
)
NOTE_GONE = (
    "INSERT INTO assessments_gone SELECT practice_id, patient_id, month, ?4 FROM assessments "
    "WHERE practice_id = ?1 AND patient_id = ?2 AND month = ?3 "
    "ON CONFLICT (practice_id, patient_id, month) DO UPDATE SET version = excluded.version"
)
DELETE_ASSESSMENT = "DELETE FROM assessments WHERE practice_id = ? AND patient_id = ? AND month = ?"
SET_ALERT = (
    "INSERT INTO alert_state VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (stream_id, alert_id) "
    "DO UPDATE SET transition = excluded.transition, raised = excluded.raised, "
    "silent = excluded.silent WHERE transition < excluded.transition"
)
ADD_TRANSITION = (
    "INSERT INTO transitions (stream_id, practice_id, patient_id, alert_id, month, type, code, "
    "unit, transition, raised, recorded_at_us, body, suppressed) "
    "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"
)
ADD_LETTER = (
    "INSERT INTO dead_letters (origin, reason, field, sentence, value, key, headers, "
    "received_at_us, replayed_at_us, waits_for) VALUES (?,?,?,?,?,?,?,?,?,?)"
)
LETTER = (
    "id, origin, reason, field, sentence, value, key, headers, received_at_us, replayed_at_us, "
    "waits_for, set_aside_at_us"
)
SELECT_LETTERS = f"SELECT {LETTER} FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?"
MARK_REPLAYED = "UPDATE dead_letters SET replayed_at_us = coalesce(replayed_at_us, ?) WHERE id = ?"
SET_DELIVERED = (
    "INSERT INTO delivered VALUES (?,?) ON CONFLICT (sink) DO UPDATE "
    "SET position = excluded.position WHERE position < excluded.position"
)
FORGET_ENROLLED = "DELETE FROM enrolled_months WHERE stream_id = ?"
ADD_ENROLLED = "INSERT INTO enrolled_months VALUES (?,?,?,?,?)"

SELECT_ALERTS = (
    "SELECT stream_id, alert_id, month, type, code, unit, transition, raised, silent "
    "FROM alert_state WHERE stream_id IN ({}) ORDER BY stream_id, alert_id"
)
SELECT_TRANSITIONS = (
    "SELECT position, stream_id, practice_id, patient_id, alert_id, month, type, code, unit, "
    "transition, raised, recorded_at_us, body, suppressed FROM transitions "
    "WHERE position > ? ORDER BY position LIMIT ?"
)
# CROSS JOIN: SQLite keeps the order, so each history is read from its snapshot on and no earlier.
SELECT_STREAMS = (
    "WITH wanted (stream, beyond) AS (VALUES {}) "
    "SELECT originator_id, originator_version, topic, state, event_key, position "
    "FROM wanted CROSS JOIN stored_events ON originator_id = stream "
    "AND originator_version > beyond ORDER BY originator_id, originator_version"
)


def assessment_query(
    practice: str | None, patient: str | None, month: str | None, status: str | None
) -> tuple[str, list[str]]:
    """The query for bodies with versions, ordered by code point, and its values."""
    wanted = {
        "a.practice_id": practice,
        "a.patient_id": patient,
        "a.month": month,
        "a.status": status,
    }
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(f"{column} = ?" for column in given) or "1"
    query = (
        "SELECT a.body, coalesce(p.version, 0) FROM assessments a "
        f"LEFT JOIN patients p USING (stream_id) WHERE {where} "
        "ORDER BY a.practice_id, a.patient_id, a.month"
    )
    return query, list(given.values())


def event_row(e: StoredEvent) -> tuple[object, ...]:
    return e[:5]


def event(row: Any) -> StoredEvent:
    """Events that came in through the library's interface have no key."""
    return StoredEvent(row[0], row[1], row[2], row[3], row[4] or b"", row[5])


def alert_row(t: TransitionRow) -> tuple[object, ...]:
    s = t.state
    return (
        t.stream_id,
        s.alert_id,
        s.month,
        s.type,
        s.code,
        s.unit,
        s.transition,
        int(s.raised),
        int(s.silent),
    )


def alert(row: Any) -> AlertState:
    return AlertState(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6]), bool(row[7]))


def transition_row(t: TransitionRow) -> tuple[object, ...]:
    s = t.state
    return (
        t.stream_id,
        t.practice_id,
        t.patient_id,
        s.alert_id,
        s.month,
        s.type,
        s.code,
        s.unit,
        s.transition,
        int(s.raised),
        t.recorded_at_us,
        t.body,
        t.suppressed,
    )


def transition(row: Any) -> TransitionRow:
    position, stream_id, practice_id, patient_id = row[:4]
    raised, recorded_at_us, body, suppressed = row[10:]
    state = alert((*row[4:10], raised, raised and suppressed is not None))
    return TransitionRow(
        stream_id,
        practice_id,
        patient_id,
        state,
        recorded_at_us,
        bytes(body),
        position,
        suppressed,
    )


def letter(row: Any) -> DeadLetter:
    id, origin, reason, field, sentence, value, key, headers, received, *rest = row
    return DeadLetter(
        origin,
        reason,
        field,
        sentence,
        value,
        key,
        decode_headers(headers),
        received,
        id,
        *rest,
    )


def marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def chunks(items: Sequence[_T], size: int) -> Iterator[Sequence[_T]]:
    """Pieces of at most `size`: SQLite takes a limited number of values a statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
