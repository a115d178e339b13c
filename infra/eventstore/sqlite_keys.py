"""The keys of stored events in SQLite: each is there once, whichever stream it is in.

Keys are hashes, so a new one lies anywhere among those that are there. In one index of a long log
nearly every key costs a page of its own, read and written. So keys move through three tables, in
their order, and neighbours share their pages: small transactions add theirs to `new_keys`, which is
emptied into `recent_keys` after every so many events; as the log grows, one slice of these after
the other (the keys with one first byte) settles in `settled_keys`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from eventsourcing.sqlite import SQLiteCursor

from infra.eventstore.sqlite_rows import chunks, marks

EVENTS_GATHERED: Final = 20_000
"""After so many events new keys become recent ones. They fill some 150 pages until then."""

LARGE_TRANSACTION: Final = 10_000
"""Keys of so many events share their pages among the recent ones at once."""

EVENTS_PER_SLICE: Final = 2_500
"""After so many events the next slice settles: a recent key does within 640,000 events."""

SHORT_LOG_EVENTS: Final = 1_000_000
"""So far all keys are in memory anyway, and none need settle."""

KEY_TABLES: Final = ("new_keys", "recent_keys", "settled_keys")
"""In the order in which a key moves."""

_SLICES: Final = 256
# OR FAIL: a failure ends the whole transaction, so SQLite need not keep what the statement changes.
# MATERIALIZED keeps the order of the keys, in which neighbours are found by the same way.
_ADD: Final = (
    "INSERT OR FAIL INTO {0} WITH new (key, position) AS MATERIALIZED "
    "(SELECT event_key, position FROM stored_events WHERE position > ? ORDER BY event_key) "
    "SELECT key, position FROM new "
    "WHERE NOT EXISTS (SELECT 1 FROM settled_keys WHERE settled_keys.key = new.key) "
    "AND NOT EXISTS (SELECT 1 FROM {1} WHERE {1}.key = new.key)"
)
_ADD_FEW: Final = _ADD.format("new_keys", "recent_keys")
_ADD_MANY: Final = _ADD.format("recent_keys", "new_keys")
_GATHERED: Final = "INSERT OR FAIL INTO recent_keys SELECT key, position FROM new_keys ORDER BY key"
_SETTLE: Final = (
    "INSERT OR FAIL INTO settled_keys SELECT key, position FROM recent_keys "
    "WHERE key >= ? AND key < ? ORDER BY key"
)
_FORGET: Final = "DELETE FROM recent_keys WHERE key >= ? AND key < ?"
_HOLDERS: Final = (
    "SELECT key, originator_id FROM {0} JOIN stored_events USING (position) WHERE key IN ({1})"
)


class KeyTaken(Exception):
    """A key that was to be added is there already. (Where it is in the table to which it was to be
    added, SQLite itself complains.)"""


def add_keys(c: SQLiteCursor, before: int, count: int) -> None:
    """Note the keys of so many events that were just stored behind the position `before`. Raises
    KeyTaken, or IntegrityError, where one is taken."""
    if not count:
        return
    after = before + count
    c.execute(_ADD_MANY if count >= LARGE_TRANSACTION else _ADD_FEW, (before,))
    if c.sqlite_cursor.rowcount != count:
        raise KeyTaken
    if before // EVENTS_GATHERED != after // EVENTS_GATHERED:
        c.execute(_GATHERED)
        c.execute("DELETE FROM new_keys")
    for span in _due(before, after):
        c.execute(_SETTLE, span)
        c.execute(_FORGET, span)


def holders(c: SQLiteCursor, keys: Sequence[bytes]) -> dict[bytes, str]:
    """The streams whose events have these keys; keys of no event are left out."""
    found: dict[bytes, str] = {}
    for part in chunks(keys, 500):
        for table in KEY_TABLES:
            c.execute(_HOLDERS.format(table, marks(part)), part)
            found.update((row[0], row[1]) for row in c.fetchall())
    return found


def _due(before: int, after: int) -> Iterator[tuple[bytes, bytes]]:
    """The slices that settle while the log grows, as spans of keys: from, and up to without."""
    if after < SHORT_LOG_EVENTS:
        return
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
