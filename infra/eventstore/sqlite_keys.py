"""The keys of stored events in SQLite: each is there once, whichever stream it is in.

Keys are hashes, so a new one lies anywhere among those that are there. In one index of a long log
nearly every key costs a page of its own, read and written. So new keys go to a small table, which
stays in memory, and settle from there in their order: as the log grows, one slice after the other
(the keys with one first byte) moves to the table of all, where neighbours share their pages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from infra.eventstore.sqlite_rows import chunks, marks
from projections.ports import StoredEvent

EVENTS_PER_SLICE: Final = 1_250
"""After so many events the next slice settles: a key does within 320,000 events."""

_SLICES: Final = 256
_ADD: Final = (
    "INSERT INTO recent_keys SELECT ?1, ?2 "
    "WHERE NOT EXISTS (SELECT 1 FROM settled_keys WHERE key = ?1)"
)
_SETTLE: Final = (
    "INSERT INTO settled_keys SELECT key, position FROM recent_keys "
    "WHERE key >= ? AND key < ? ORDER BY key"
)
_FORGET: Final = "DELETE FROM recent_keys WHERE key >= ? AND key < ?"
_HOLDERS: Final = (
    "SELECT key, originator_id FROM {0} JOIN stored_events USING (position) WHERE key IN ({1})"
)


class KeySettled(Exception):
    """A key that was to be added is there already. (Of a recent one, SQLite itself complains.)"""


def add_keys(c: SQLiteCursor, events: Sequence[StoredEvent], before: int) -> None:
    """Note the keys of events that got the positions after `before`, in their order. Raises
    KeySettled, or IntegrityError, where one is taken."""
    # In their order: neighbours are found by the same way down the table.
    rows = sorted((event.key, position) for position, event in enumerate(events, before + 1))
    c.executemany(_ADD, rows)
    if rows and c.sqlite_cursor.rowcount != len(rows):
        raise KeySettled
    for span in _due(before, before + len(rows)):
        c.execute(_SETTLE, span)
        c.execute(_FORGET, span)


def holders(c: SQLiteCursor, keys: Sequence[bytes]) -> dict[bytes, str]:
    """The streams whose events have these keys; keys of no event are left out."""
    found: dict[bytes, str] = {}
    for part in chunks(keys, 500):
        for table in ("recent_keys", "settled_keys"):
            c.execute(_HOLDERS.format(table, marks(part)), part)
            found.update((row[0], row[1]) for row in c.fetchall())
    return found


def _due(before: int, after: int) -> Iterator[tuple[bytes, bytes]]:
    """The slices that settle while the log grows, as spans of keys: from, and up to without."""
    first = before // EVENTS_PER_SLICE
    count = min(after // EVENTS_PER_SLICE - first, _SLICES)
    low = first % _SLICES
    high = min(low + count, _SLICES)
    if low < high:
        yield _bound(low), _bound(high)
    if low + count > _SLICES:
        yield _bound(0), _bound(low + count - _SLICES)


def _bound(number: int) -> bytes:
    """What the keys of a slice are at least; of the one behind the last, more than any key."""
    return bytes([number]) if number < _SLICES else b"\xff" * 17
