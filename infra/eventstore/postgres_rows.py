"""PostgreSQL's statements: each writes all its rows at once from one array a column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from infra.eventstore.rows import letter_row
from projections.ports import AssessmentRow, DeadLetter, TransitionRow

SET_TRACKING = (
    "INSERT INTO tracking VALUES (%s, %s) ON CONFLICT (application_name) DO UPDATE "
    "SET notification_id = excluded.notification_id "
    "WHERE tracking.notification_id < excluded.notification_id"
)
SET_PATIENTS = (
    "INSERT INTO patients SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::int8[], "
    "%b::bytea[]) ON CONFLICT (stream_id) DO UPDATE SET version = excluded.version, "
    "head = CASE WHEN excluded.head IS NULL AND patients.version = excluded.version "
    "THEN patients.head ELSE excluded.head END WHERE patients.version <= excluded.version"
)
SET_ASSESSMENTS = (
    "INSERT INTO assessments SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], "
    "%b::text[], %b::text[], %b::bytea[], %b::int8[]) "
    "ON CONFLICT (practice_id, patient_id, month) "
    "DO UPDATE SET status = excluded.status, body = excluded.body, version = excluded.version"
)
DELETE_ASSESSMENTS = (
    "WITH gone AS (DELETE FROM assessments "
    "USING unnest(%b::text[], %b::text[], %b::text[], %b::int8[]) AS wanted (r, p, m, v) "
    "WHERE practice_id = r AND patient_id = p AND month = m "
    "RETURNING practice_id, patient_id, month, v) "
    "INSERT INTO assessments_gone SELECT * FROM gone "
    "ON CONFLICT (practice_id, patient_id, month) DO UPDATE SET version = excluded.version"
)
SET_ALERTS = (
    "INSERT INTO alert_state SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], "
    "%b::text[], %b::text[], %b::int8[], %b::int8[], %b::bool[], %b::bool[]) "
    "ON CONFLICT (stream_id, alert_id) DO UPDATE "
    "SET transition = excluded.transition, raised = excluded.raised, silent = excluded.silent "
    "WHERE alert_state.transition < excluded.transition"
)
ADD_TRANSITIONS = (
    "INSERT INTO transitions SELECT (SELECT coalesce(max(position), 0) FROM transitions) + n, "
    "s, r, p, a, m, ty, c, u, tr, ra, at, b, su FROM unnest(%b::text[], %b::text[], "
    "%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::int8[], %b::int8[], "
    "%b::bool[], %b::int8[], %b::bytea[], %b::text[]) "
    "WITH ORDINALITY AS t (s, r, p, a, m, ty, c, u, tr, ra, at, b, su, n)"
)
FORGET_ENROLLED = "DELETE FROM enrolled_months WHERE stream_id = ANY(%b)"
ADD_ENROLLED = (
    "INSERT INTO enrolled_months SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], "
    "%b::text[], %b::text[])"
)
ADD_LETTERS = (
    "INSERT INTO dead_letters (origin, reason, field, sentence, value, key, headers, "
    "received_at_us, replayed_at_us, waits_for) SELECT o, re, f, se, v, k, h, at, again, w FROM "
    "unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::bytea[], %b::bytea[], "
    "%b::bytea[], %b::int8[], %b::int8[], %b::text[]) WITH ORDINALITY "
    "AS t (o, re, f, se, v, k, h, at, again, w, n) ORDER BY n"
)
MARK_REPLAYED = (
    "UPDATE dead_letters SET replayed_at_us = coalesce(replayed_at_us, at) "
    "FROM unnest(%b::int8[], %b::int8[]) AS again (letter, at) WHERE id = letter"
)
SET_DELIVERED = (
    "INSERT INTO delivered VALUES (%s, %s) ON CONFLICT (sink) DO UPDATE "
    "SET position = excluded.position WHERE delivered.position < excluded.position"
)


def columns(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Rows turned into one list a column."""
    return [list(column) for column in zip(*rows, strict=True)]


def assessment_columns(assessments: Sequence[AssessmentRow]) -> list[list[Any]]:
    """Of one patient-month only the last: a statement may touch a row once."""
    last = {(a.practice_id, a.patient_id, a.month): a for a in assessments}
    return columns(
        (*place, row.stream_id, row.status, row.body, row.version)
        for place, row in sorted(last.items(), key=lambda item: item[0])
    )


def alert_columns(transitions: Sequence[TransitionRow]) -> list[list[Any]]:
    """Of one alert only the last transition."""
    ordered = sorted(transitions, key=lambda t: t.state.transition)
    last = {(t.stream_id, t.state.alert_id): t.state for t in ordered}
    return columns(
        (stream, alert, s.month, s.type, s.code, s.unit, s.transition, s.raised, s.silent)
        for (stream, alert), s in sorted(last.items(), key=lambda item: item[0])
    )


def transition_columns(transitions: Sequence[TransitionRow]) -> list[list[Any]]:
    return columns(
        (
            t.stream_id,
            t.practice_id,
            t.patient_id,
            t.state.alert_id,
            t.state.month,
            t.state.type,
            t.state.code,
            t.state.unit,
            t.state.transition,
            t.state.raised,
            t.recorded_at_us,
            t.body,
            t.suppressed,
        )
        for t in transitions
    )


def letter_columns(letters: Sequence[DeadLetter]) -> list[list[Any]]:
    return columns(letter_row(letter) for letter in letters)


def assessment_query(
    practice: str | None, patient: str | None, month: str | None, status: str | None
) -> tuple[str, list[str]]:
    """The query for bodies with versions, ordered by code point, and its values."""
    wanted = {"practice_id": practice, "patient_id": patient, "month": month, "status": status}
    given = {column: value for column, value in wanted.items() if value is not None}
    where = " AND ".join(f"a.{column} = %s" for column in given) or "true"
    query = (
        "SELECT a.body, coalesce(p.version, 0) FROM assessments a "
        f"LEFT JOIN patients p USING (stream_id) WHERE {where} "
        "ORDER BY a.practice_id, a.patient_id, a.month"
    )
    return query, list(given.values())
