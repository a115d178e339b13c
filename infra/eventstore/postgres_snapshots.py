"""Snapshots in PostgreSQL: a row each, and one for every part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from psycopg import Cursor

from infra.eventstore.postgres_rows import columns
from projections.ports import Snapshot

_SET: Final = (
    "INSERT INTO snapshots SELECT * FROM unnest(%b::text[], %b::int8[], %b::text[], %b::bytea[]) "
    "ON CONFLICT (stream_id) DO UPDATE "
    "SET version = excluded.version, form = excluded.form, state = excluded.state "
    "WHERE snapshots.version <= excluded.version RETURNING stream_id"
)
# A part of the same name has the same content, whichever of the streams names it.
_DROP_PARTS: Final = (
    "DELETE FROM snapshot_parts WHERE stream_id = ANY(%b) AND name <> ALL(%b::bytea[])"
)
_ADD_PARTS: Final = (
    "INSERT INTO snapshot_parts SELECT * FROM unnest(%b::text[], %b::bytea[], %b::bytea[]) "
    "ON CONFLICT DO NOTHING"
)
_SELECT: Final = (
    "SELECT stream_id, version, form, state FROM snapshots WHERE stream_id = ANY(%b) AND form = %b"
)
_SELECT_PARTS: Final = "SELECT stream_id, name, body FROM snapshot_parts WHERE stream_id = ANY(%b)"


def write(c: Cursor[Any], snapshots: Sequence[Snapshot]) -> None:
    """Put each in the place of an earlier one of its stream; one that is earlier itself is not
    kept."""
    # In one order for all writers, so that none waits for another in a circle.
    ordered = sorted(snapshots, key=lambda s: s.stream_id)
    c.execute(_SET, columns((s.stream_id, s.version, s.form, s.state) for s in ordered))
    taken = {row[0] for row in c.fetchall()}
    parts = [
        (s.stream_id, name, body)
        for s in ordered
        if s.stream_id in taken
        for name, body in s.parts.items()
    ]
    c.execute(_DROP_PARTS, (list(taken), [name for _, name, _ in parts]))
    if new := [part for part in parts if part[2] is not None]:
        c.execute(_ADD_PARTS, columns(new))


def read(c: Cursor[Any], stream_ids: Sequence[str], form: str) -> dict[str, Snapshot]:
    """The snapshots of this form, by stream."""
    c.execute(_SELECT, (list(stream_ids), form))
    rows = c.fetchall()
    parts: dict[str, dict[bytes, bytes | None]] = {row[0]: {} for row in rows}
    if parts:
        c.execute(_SELECT_PARTS, (list(parts),))
        for stream, name, body in c.fetchall():
            parts[stream][name] = body
    return {
        stream: Snapshot(stream, version, form, state, parts[stream])
        for stream, version, form, state in rows
    }
