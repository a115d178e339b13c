"""`projections.translated.Translations` on SQLite, PostgreSQL and beside a store in memory.

The rows are written by the stores, in the transaction of the batch they belong to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from infra.eventstore.memory import MemoryStore
from infra.eventstore.rows import printable
from infra.eventstore.sqlite_rows import LETTER, letter
from infra.eventstore.transactions import (
    Cursor,
    Transaction,
    postgres_transaction,
    sqlite_transaction,
)
from projections.ports import Batch, DeadLetter, Store, StreamMoved, TakenResource
from projections.translated import Standing, Translations

KEYS = 400
"""Keys a statement: SQLite takes a limited number of values."""

FORGET_LINKS = "DELETE FROM identities WHERE stream_id = ?"
ADD_LINK = "INSERT INTO identities (stream_id, key, time, source, id) VALUES (?,?,?,?,?)"
SET_RESOURCE = (
    "INSERT INTO taken_resources VALUES (?,?,?) ON CONFLICT (key) DO UPDATE "
    "SET revision = excluded.revision, body = excluded.body "
    "WHERE taken_resources.revision = excluded.revision - 1"
)
WAIT_ANEW = (
    "UPDATE dead_letters SET reason = ?, field = ?, sentence = ?, waits_for = ? "
    "WHERE id = ? AND replayed_at_us IS NULL"
)


def write(cursor: Cursor, batch: Batch, mark: str = "?") -> None:
    """Write what a batch says of translated feeds. Raises `StreamMoved`."""

    def all_of(statement: str, rows: Iterable[tuple[Any, ...]]) -> int:
        listed = sorted(rows)
        if listed:
            cursor.executemany(statement.replace("?", mark), listed)
        return len(listed)

    all_of(FORGET_LINKS, ((stream,) for stream in batch.links))
    all_of(
        ADD_LINK,
        (
            (stream, link.key, link.time, link.source, link.id)
            for stream, links in batch.links.items()
            for link in links
        ),
    )
    written = all_of(SET_RESOURCE, ((r.key, r.revision, r.body) for r in batch.resources))
    if written and cursor.rowcount != written:
        raise StreamMoved("a resource was taken by another writer first")
    all_of(WAIT_ANEW, (_said(id, dead) for id, dead in batch.refused_again.items()))


def _said(letter_id: int, dead: DeadLetter) -> tuple[Any, ...]:
    texts = (dead.reason, dead.field, dead.sentence, dead.waits_for)
    return (*map(printable, texts), letter_id)


def open_translations(store: Store) -> Translations:
    """The read model that belongs to an open store and lives in the same database."""
    if isinstance(store, MemoryStore):
        return MemoryTranslations(store)
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, SQLiteStore):
        return SqlTranslations(sqlite_transaction(store), "?")
    return SqlTranslations(postgres_transaction(store), "%s")


class SqlTranslations:
    """The read model in tables; `mark` is how the database writes a value's place."""

    def __init__(self, transaction: Transaction, mark: str) -> None:
        self._transaction = transaction
        self._mark = mark

    def patients(self, keys: Collection[str]) -> Mapping[str, str]:
        found: dict[str, Standing] = {}
        columns = "SELECT key, stream_id, time, source, id FROM identities WHERE key IN ({})"
        for key, stream, *order in self._by_keys(columns, keys):
            standing = Standing(stream, (order[0], order[1], order[2]))
            if key not in found or found[key].order < standing.order:
                found[key] = standing
        return {key: standing.stream_id for key, standing in found.items()}

    def resources(self, keys: Collection[str]) -> Mapping[str, TakenResource]:
        columns = "SELECT key, revision, body FROM taken_resources WHERE key IN ({})"
        rows = self._by_keys(columns, keys)
        return {key: TakenResource(key, revision, bytes(body)) for key, revision, body in rows}

    def released(self, after: int, limit: int) -> list[DeadLetter]:
        return self._letters(
            "waits_for <> '' AND waits_for IN (SELECT key FROM identities)", (after, limit)
        )

    def waiting(self, for_key: str, after: int, limit: int) -> list[DeadLetter]:
        return self._letters("waits_for <> '' AND waits_for = ?", (for_key, after, limit))

    def _letters(self, which: str, values: tuple[Any, ...]) -> list[DeadLetter]:
        query = (
            f"SELECT {LETTER} FROM dead_letters WHERE replayed_at_us IS NULL "
            f"AND set_aside_at_us IS NULL AND {which} AND id > ? ORDER BY id LIMIT ?"
        )
        with self._transaction(False) as c:
            c.execute(query.replace("?", self._mark), values)
            return [letter(row) for row in c.fetchall()]

    def _by_keys(self, query: str, keys: Collection[str]) -> Iterator[Any]:
        listed = sorted(set(keys))
        for start in range(0, len(listed), KEYS):
            part = listed[start : start + KEYS]
            with self._transaction(False) as c:
                c.execute(query.format(",".join([self._mark] * len(part))), part)
                yield from c.fetchall()


class MemoryTranslations:
    """The same answers as the tables give."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def patients(self, keys: Collection[str]) -> Mapping[str, str]:
        found: dict[str, Standing] = {}
        for stream, links in self._store.links.items():
            for link in links:
                standing = Standing(stream, (link.time, link.source, link.id))
                known = found.get(link.key)
                if link.key in keys and (known is None or known.order < standing.order):
                    found[link.key] = standing
        return {key: standing.stream_id for key, standing in found.items()}

    def resources(self, keys: Collection[str]) -> Mapping[str, TakenResource]:
        taken = self._store.resources
        return {key: taken[key] for key in keys if key in taken}

    def released(self, after: int, limit: int) -> list[DeadLetter]:
        known = {link.key for links in self._store.links.values() for link in links}
        return self._letters(known, after, limit)

    def waiting(self, for_key: str, after: int, limit: int) -> list[DeadLetter]:
        return self._letters({for_key}, after, limit)

    def _letters(self, keys: Collection[str], after: int, limit: int) -> list[DeadLetter]:
        return [
            dead
            for dead in self._store.dead_letters(0, 2**62)
            if dead.id > after and dead.is_open and dead.waits_for and dead.waits_for in keys
        ][:limit]
