"""The log's Merkle tree and its checkpoints, in tables beside the log.

A tile is 256 hashes of one level: tile level 0 holds leaves, tile level 1 the hashes over whole
tiles of level 0, and so on. A tile grows until it is full and is never changed then: making a
checkpoint reads the new events alone, and a proof reads one tile a level.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

from infra.eventstore.memory import MemoryStore
from infra.eventstore.transactions import (
    Cursor,
    Transaction,
    postgres_transaction,
    sqlite_transaction,
)
from infra.transparency.merkle import HASH_BYTES, Subtrees, fold_complete
from projections.ports import Store

TILE_BITS: Final = 8
TILE_HASHES: Final = 1 << TILE_BITS
_FULL: Final = TILE_HASHES * HASH_BYTES

_SET_TILE: Final = (
    "INSERT INTO log_tiles VALUES (?,?,?) ON CONFLICT (level, number) DO UPDATE "
    "SET hashes = excluded.hashes WHERE length(log_tiles.hashes) < length(excluded.hashes)"
)


class StreamEnd(NamedTuple):
    """Where a patient's stream ends: its version, and what its last event hashes to (None: not
    known, for what was last written by a release that did not keep it)."""

    version: int
    head: bytes | None


class NumberedNote(NamedTuple):
    """A checkpoint as stored: which one it is, and its signed note."""

    number: int
    note: str


def open_transaction(store: Store) -> tuple[Transaction, str]:
    """Transactions of an open store's database, and how it marks a value's place in SQL.

    Raises TypeError for a store in memory: there is nothing that outlives it.
    """
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, MemoryStore):
        raise TypeError("a store in memory has no tree and no access log")
    if isinstance(store, SQLiteStore):
        return sqlite_transaction(store), "?"
    return postgres_transaction(store), "%s"


class LogTree:
    """The tree over a store's log, as far as it was grown, and the checkpoints made of it."""

    def __init__(self, store: Store) -> None:
        self._transaction, self._mark = open_transaction(store)

    def size(self) -> int:
        """How many leaves the tree has."""
        with self._transaction(False) as c:
            return self._size(c)

    def extend(self, at: int, leaves: Sequence[bytes]) -> None:
        """Append leaf hashes, the first of them leaf number `at`.

        What another process appended meanwhile stays: the log is the same for both.
        """
        with self._transaction(True) as c:
            size = self._size(c)
            self._append(c, 0, size, leaves[max(0, size - at) :] if at <= size else ())

    def leaves(self, first: int, count: int) -> list[bytes]:
        """Leaf hashes from number `first` on, at most `count`, as far as the tree goes."""
        tiles = range(first >> TILE_BITS, ((first + count - 1) >> TILE_BITS) + 1)
        with self._transaction(False) as c:
            c.execute(
                self._sql(
                    "SELECT number, hashes FROM log_tiles WHERE level = 0 "
                    "AND number BETWEEN ? AND ? ORDER BY number"
                ),
                (tiles.start, tiles.stop - 1),
            )
            found = {number: _parted(hashes) for number, hashes in c.fetchall()}
        wanted = range(first, first + count)
        rows = ((found.get(i >> TILE_BITS, []), i & (TILE_HASHES - 1)) for i in wanted)
        return [row[place] for row, place in rows if place < len(row)]

    def subtrees(self) -> Subtrees:
        """The complete subtrees; tiles read once are remembered. Raises LookupError beyond the
        tree."""
        tile = lru_cache(maxsize=256)(self._tile)

        def subtree(level: int, index: int) -> bytes:
            tile_level, rest = divmod(level, TILE_BITS)
            first = index << rest
            place = first & (TILE_HASHES - 1)
            hashes = tile(tile_level, first >> TILE_BITS)[place : place + (1 << rest)]
            if len(hashes) < 1 << rest:
                raise LookupError(f"the tree has no subtree {index} of level {level}")
            return fold_complete(hashes)

        return subtree

    def add_checkpoint(self, note: str) -> NumberedNote:
        """Keep a checkpoint's note as the newest."""
        with self._transaction(True) as c:
            if self._mark == "%s":
                c.execute("LOCK TABLE checkpoints IN EXCLUSIVE MODE")
            c.execute("SELECT coalesce(max(number), 0) + 1 FROM checkpoints")
            number = int(c.fetchone()[0])
            c.execute(self._sql("INSERT INTO checkpoints VALUES (?,?)"), (number, note))
        return NumberedNote(number, note)

    def checkpoints(self, after: int = 0) -> list[NumberedNote]:
        """The checkpoints with a number beyond `after`, oldest first."""
        with self._transaction(False) as c:
            query = "SELECT number, note FROM checkpoints WHERE number > ? ORDER BY number"
            c.execute(self._sql(query), (after,))
            return [NumberedNote(*row) for row in c.fetchall()]

    def last_checkpoint(self) -> NumberedNote | None:
        with self._transaction(False) as c:
            c.execute("SELECT number, note FROM checkpoints ORDER BY number DESC LIMIT 1")
            row = c.fetchone()
        return NumberedNote(*row) if row else None

    def ends(self, stream_id: str | None = None) -> dict[str, StreamEnd]:
        """Where streams end, by stream id: all, or the one that is named."""
        query = "SELECT stream_id, version, head FROM patients"
        values: tuple[str, ...] = ()
        if stream_id is not None:
            query, values = f"{query} WHERE stream_id = ?", (stream_id,)
        with self._transaction(False) as c:
            c.execute(self._sql(query), values)
            return {row[0]: StreamEnd(row[1], row[2] and bytes(row[2])) for row in c.fetchall()}

    def _size(self, c: Cursor) -> int:
        c.execute(
            "SELECT number, hashes FROM log_tiles WHERE level = 0 ORDER BY number DESC LIMIT 1"
        )
        row = c.fetchone()
        return row[0] * TILE_HASHES + len(row[1]) // HASH_BYTES if row else 0

    def _append(self, c: Cursor, level: int, size: int, hashes: Sequence[bytes]) -> None:
        """Append hashes to the tiles of a level that has `size` of them."""
        above: list[bytes] = []
        at = 0
        while at < len(hashes):
            number, held = divmod(size + at, TILE_HASHES)
            tile = (self._read(c, level, number) if held else b"") + b"".join(
                hashes[at : at + TILE_HASHES - held]
            )
            c.execute(self._sql(_SET_TILE), (level, number, tile))
            if len(tile) == _FULL:
                above.append(fold_complete(_parted(tile)))
            at += TILE_HASHES - held
        if above:
            self._append(c, level + 1, size >> TILE_BITS, above)

    def _tile(self, level: int, number: int) -> list[bytes]:
        with self._transaction(False) as c:
            return _parted(self._read(c, level, number))

    def _read(self, c: Cursor, level: int, number: int) -> bytes:
        c.execute(
            self._sql("SELECT hashes FROM log_tiles WHERE level = ? AND number = ?"),
            (level, number),
        )
        row: Any = c.fetchone()
        return bytes(row[0]) if row else b""

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._mark)


def _parted(hashes: bytes) -> list[bytes]:
    return [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
