"""`projections.keptboards.KeptBoards` on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import date
from typing import Final

from domain.facts import Month
from infra.eventstore.transactions import Transaction
from infra.eventstore.transparency import open_transaction
from projections.keptboards import KeptBoard, KeptBoards
from projections.ports import Store

_READ: Final = (
    "SELECT practice_id, month, day, form, position, body FROM kept_boards "
    "WHERE practice_id = ? AND month = ?"
)
_KEEP: Final = (
    "INSERT INTO kept_boards VALUES (?,?,?,?,?,?) ON CONFLICT (practice_id, month) DO UPDATE "
    "SET day = excluded.day, form = excluded.form, position = excluded.position, "
    "body = excluded.body WHERE kept_boards.form <> excluded.form "
    "OR kept_boards.day < excluded.day "
    "OR (kept_boards.day = excluded.day AND kept_boards.position < excluded.position)"
)


def open_kept_boards(store: Store) -> KeptBoards:
    """Those of an open store. Raises TypeError for one in memory, which has no pages."""
    return SqlKeptBoards(*open_transaction(store))


class SqlKeptBoards:
    """A row a board; `mark` is how the database writes a value's place."""

    def __init__(self, transaction: Transaction, mark: str) -> None:
        self._transaction, self._mark = transaction, mark

    def read(self, practice: str, month: Month) -> KeptBoard | None:
        with self._transaction(False) as c:
            c.execute(_READ.replace("?", self._mark), (practice, month))
            row = c.fetchone()
        if row is None:
            return None
        return KeptBoard(row[0], row[1], date.fromisoformat(row[2]), row[3], row[4], bytes(row[5]))

    def keep(self, board: KeptBoard) -> None:
        values = (*board[:2], board.day.isoformat(), *board[3:])
        with self._transaction(True) as c:
            c.execute(_KEEP.replace("?", self._mark), values)
