"""`projections.letters.Letters` on SQLite, PostgreSQL and beside a store in memory.

What people do with letters is written by the stores, in the transaction of the batch it is part of.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from infra.eventstore.memory import MemoryStore
from infra.eventstore.rows import printable
from infra.eventstore.sqlite_rows import LETTER, letter
from infra.eventstore.transactions import Cursor, Transaction
from infra.eventstore.transparency import open_transaction
from projections.letters import ActKind, DeadLetter, LetterAct, LetterMoved, Letters, Waiting
from projections.ports import Batch, Store

_MOVE: Final = {
    ActKind.CORRECTED: "replayed_at_us = ? WHERE id = ? AND replayed_at_us IS NULL",
    ActKind.REPLAYED: "replayed_at_us = ? WHERE id = ? AND replayed_at_us IS NULL",
    ActKind.SET_ASIDE: (
        "set_aside_at_us = ? WHERE id = ? AND replayed_at_us IS NULL AND set_aside_at_us IS NULL"
    ),
    ActKind.TAKEN_UP: (
        "set_aside_at_us = NULL WHERE id = ? AND replayed_at_us IS NULL "
        "AND set_aside_at_us IS NOT NULL"
    ),
}
_KEEP: Final = (
    "INSERT INTO letter_acts (letter_id, kind, by, reason, at_us, value) VALUES (?,?,?,?,?,?)"
)
_ACTS: Final = (
    "SELECT letter_id, kind, by, reason, at_us, value FROM letter_acts "
    "WHERE letter_id = ? ORDER BY id"
)
_CORRECTED: Final = "SELECT 1 FROM letter_acts WHERE letter_id = ? AND kind = ?"
_OPEN: Final = "replayed_at_us IS NULL AND set_aside_at_us IS NULL"


def write(cursor: Cursor, acts: Iterable[LetterAct], mark: str = "?") -> None:
    """Write acts, before anything else marks their letters. Raises `LetterMoved`."""
    for act in acts:
        at = () if act.kind is ActKind.TAKEN_UP else (act.at_us,)
        moved = f"UPDATE dead_letters SET {_MOVE[act.kind]}"
        cursor.execute(moved.replace("?", mark), (*at, act.letter_id))
        if cursor.rowcount != 1:
            raise LetterMoved(f"letter {act.letter_id} cannot be {act.kind} any more")
        texts = map(printable, (act.by, act.reason))
        row = (act.letter_id, act.kind.value, *texts, act.at_us, act.value)
        cursor.execute(_KEEP.replace("?", mark), row)


def check(cursor: Cursor, batch: Batch, mark: str = "?") -> None:
    """Refuse to take letters as they came of which a correction was taken. After their rows were
    marked: by then whoever else works on them has ended. Raises `LetterMoved`."""
    for letter_id in sorted(batch.replayed.keys() - {act.letter_id for act in batch.letter_acts}):
        cursor.execute(_CORRECTED.replace("?", mark), (letter_id, ActKind.CORRECTED.value))
        if cursor.fetchone() is not None:
            raise LetterMoved(f"letter {letter_id} was corrected")


def open_letters(store: Store) -> Letters:
    """The letters of an open store."""
    if isinstance(store, MemoryStore):
        return MemoryLetters(store)
    return SqlLetters(*open_transaction(store))


class SqlLetters:
    """Letters in tables; `mark` is how the database writes a value's place."""

    def __init__(self, transaction: Transaction, mark: str) -> None:
        self._transaction, self._mark = transaction, mark

    def waiting(self, after: int, limit: int) -> list[Waiting]:
        query = (
            f"SELECT id, reason, origin FROM dead_letters WHERE {_OPEN} AND id > ? "
            "ORDER BY id LIMIT ?"
        )
        return [Waiting(*row) for row in self._rows(query, (after, limit))]

    def whole(self, ids: Collection[int]) -> list[DeadLetter]:
        listed = sorted(set(ids))
        if not listed:
            return []
        places = ",".join("?" * len(listed))
        query = f"SELECT {LETTER} FROM dead_letters WHERE id IN ({places}) ORDER BY id"
        return [letter(row) for row in self._rows(query, tuple(listed))]

    def done(self, before: int, limit: int) -> list[DeadLetter]:
        query = (
            f"SELECT {LETTER} FROM dead_letters WHERE NOT ({_OPEN}) AND id < ? "
            "ORDER BY id DESC LIMIT ?"
        )
        return [letter(row) for row in self._rows(query, (before, limit))]

    def acts(self, letter_id: int) -> list[LetterAct]:
        rows = self._rows(_ACTS, (letter_id,))
        return [LetterAct(id, ActKind(kind), *rest) for id, kind, *rest in rows]

    def _rows(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        with self._transaction(False) as c:
            c.execute(query.replace("?", self._mark), values)
            return c.fetchall()


class MemoryLetters:
    """The same answers as the tables give."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def waiting(self, after: int, limit: int) -> list[Waiting]:
        found = [one for one in self._all() if one.is_open and one.id > after]
        return [Waiting(one.id, one.reason, one.origin) for one in found[:limit]]

    def whole(self, ids: Collection[int]) -> list[DeadLetter]:
        return [one for one in self._all() if one.id in ids]

    def done(self, before: int, limit: int) -> list[DeadLetter]:
        found = [one for one in self._all() if not one.is_open and one.id < before]
        return found[::-1][:limit]

    def acts(self, letter_id: int) -> list[LetterAct]:
        return [act for act in self._store.letter_acts if act.letter_id == letter_id]

    def _all(self) -> list[DeadLetter]:
        return self._store.dead_letters(0, 2**62)
