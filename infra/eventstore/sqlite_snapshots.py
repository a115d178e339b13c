"""Snapshots in SQLite: a row each, and one for every part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from infra.eventstore.sqlite_rows import marks
from projections.ports import Snapshot

_SET: Final = (
    "INSERT INTO snapshots VALUES (?,?,?,?) ON CONFLICT (stream_id) DO UPDATE "
    "SET version = excluded.version, form = excluded.form, state = excluded.state "
    "WHERE version <= excluded.version"
)
_DROP_PARTS: Final = "DELETE FROM snapshot_parts WHERE stream_id = ? AND name NOT IN ({})"
_ADD_PART: Final = "INSERT INTO snapshot_parts VALUES (?,?,?) ON CONFLICT DO NOTHING"
_SELECT: Final = (
    "SELECT stream_id, version, form, state FROM snapshots WHERE form = ? AND stream_id IN ({})"
)
_SELECT_PARTS: Final = "SELECT stream_id, name, body FROM snapshot_parts WHERE stream_id IN ({})"


def write(c: SQLiteCursor, snapshots: Sequence[Snapshot]) -> None:
    """Put each in the place of an earlier one of its stream; one that is earlier itself is not
    kept."""
    for s in snapshots:
        c.execute(_SET, (s.stream_id, s.version, s.form, s.state))
        if c.sqlite_cursor.rowcount:
            c.execute(_DROP_PARTS.format(marks(tuple(s.parts))), (s.stream_id, *s.parts))
            new = [(s.stream_id, n, body) for n, body in s.parts.items() if body is not None]
            c.executemany(_ADD_PART, new)


def read(c: SQLiteCursor, stream_ids: Sequence[str], form: str) -> dict[str, Snapshot]:
    """The snapshots of this form, by stream; at most as many streams as a statement takes."""
    c.execute(_SELECT.format(marks(stream_ids)), (form, *stream_ids))
    rows = c.fetchall()
    parts: dict[str, dict[bytes, bytes | None]] = {row[0]: {} for row in rows}
    if parts:
        c.execute(_SELECT_PARTS.format(marks(tuple(parts))), tuple(parts))
        for stream, name, body in c.fetchall():
            parts[stream][name] = body
    return {
        stream: Snapshot(stream, version, form, state, parts[stream])
        for stream, version, form, state in rows
    }
