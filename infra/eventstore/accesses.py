"""The access log: who read what, appended row by row, each hashed over the one before.

The tables refuse changes and deletions by triggers; the hashes tell of what a database's owner
does past them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

from infra.eventstore.transactions import Cursor
from infra.eventstore.transparency import open_transaction
from projections.ports import Store

PAGE = 2_000


class AccessRow(NamedTuple):
    """One entry as stored; `hash` is over the hash before and the body."""

    number: int
    body: bytes
    hash: bytes


class AccessEnd(NamedTuple):
    """How many entries there are, and the last one's hash (empty without any)."""

    size: int
    head: bytes


def next_hash(previous: bytes, body: bytes) -> bytes:
    """The hash of an entry: `previous` is the hash of the one before, empty for the first."""
    return sha256(b"%d:" % len(previous) + previous + body).digest()


class AccessLog:
    """The entries of one store. They can be appended and read, nothing else."""

    def __init__(self, store: Store) -> None:
        self._transaction, self._mark = open_transaction(store)

    def append(self, body_of: Callable[[int], bytes]) -> AccessRow:
        """Append one entry, durably; `body_of` makes its body from its number.

        Raises whatever the database's driver raises; nothing is appended then.
        """
        with self._transaction(True) as c:
            if self._mark == "%s":
                c.execute("LOCK TABLE accesses IN EXCLUSIVE MODE")
            end = self._end(c)
            number = end.size + 1
            body = body_of(number)
            row = AccessRow(number, body, next_hash(end.head, body))
            statement = "INSERT INTO accesses VALUES (?,?,?)".replace("?", self._mark)
            c.execute(statement, tuple(row))
        return row

    def end(self) -> AccessEnd:
        with self._transaction(False) as c:
            return self._end(c)

    def rows(self, after: int = 0) -> Iterator[AccessRow]:
        """Every entry with a number beyond `after`, oldest first, read page by page."""
        while page := self._page(after):
            yield from page
            after = page[-1].number

    def _page(self, after: int) -> list[AccessRow]:
        query = "SELECT number, body, hash FROM accesses WHERE number > ? ORDER BY number LIMIT ?"
        with self._transaction(False) as c:
            c.execute(query.replace("?", self._mark), (after, PAGE))
            return [AccessRow(row[0], bytes(row[1]), bytes(row[2])) for row in c.fetchall()]

    @staticmethod
    def _end(c: Cursor) -> AccessEnd:
        c.execute("SELECT number, hash FROM accesses ORDER BY number DESC LIMIT 1")
        row = c.fetchone()
        return AccessEnd(row[0], bytes(row[1])) if row else AccessEnd(0, b"")
