"""Transactions of the two databases in one form, for adapters that speak to both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol


class Cursor(Protocol):
    """What the two databases' cursors have in common."""

    def execute(self, statement: Any, values: Any = ..., /) -> Any: ...
    def executemany(self, statement: Any, values: Any, /) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...
    @property
    def rowcount(self) -> int: ...


Transaction = Callable[[bool], AbstractContextManager[Cursor]]
"""Opens one transaction; the argument says whether it writes. One that reads sees one moment."""


def sqlite_transaction(store: Any) -> Transaction:
    """Transactions of an `SQLiteStore`."""

    @contextmanager
    def transaction(write: bool) -> Iterator[Any]:
        with store.recorder.datastore.transaction(commit=write) as cursor:
            cursor.sqlite_cursor.row_factory = None
            yield cursor.sqlite_cursor

    return transaction


def postgres_transaction(store: Any) -> Transaction:
    """Transactions of a `PostgresStore`."""
    from psycopg.rows import tuple_row

    @contextmanager
    def transaction(write: bool) -> Iterator[Any]:
        with store.recorder.datastore.get_connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=tuple_row)
            if not write:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield cursor

    return transaction
