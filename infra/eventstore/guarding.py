"""What a batch takes for granted, looked at inside its own transaction; and projected rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from projections.ports import Batch, PositionPassed, ProjectedRow, ReadModelsMoved

_POSITION: Final = "SELECT notification_id FROM tracking WHERE application_name = ?"
_SET: Final = (
    "INSERT INTO projected VALUES (?,?,?,?,?,?) "
    "ON CONFLICT (table_name, generation, part, at, key) DO UPDATE SET body = excluded.body"
)
_DELETE: Final = (
    "DELETE FROM projected "
    "WHERE table_name = ? AND generation = ? AND part = ? AND at = ? AND key = ?"
)


class Writing(Protocol):
    """What the cursors of both databases can do."""

    def execute(self, statement: Any, values: Any = ..., /) -> Any: ...
    def executemany(self, statement: Any, values: Any, /) -> Any: ...
    def fetchone(self) -> Any: ...


def guard(c: Writing, batch: Batch, mark: str = "?") -> None:
    """Raise PositionPassed or ReadModelsMoved where the batch was made for another state."""
    for feed, position in batch.expected.items():
        c.execute(_marked(_POSITION, mark), (feed,))
        row = c.fetchone()
        found = int(row[0]) if row else 0
        if found != position:
            raise PositionPassed(f"feed {feed} is at {found}, the batch expects {position}")
    if batch.makings and batch.assessments:
        c.execute("SELECT making FROM read_models WHERE name = 'assessments'")
        row = c.fetchone()
        refuse_other_making(batch, row[0] if row else "")


def refuse_other_making(batch: Batch, live: str) -> None:
    """Raise ReadModelsMoved when the live rows are of a making the batch does not know."""
    if live not in batch.makings:
        raise ReadModelsMoved(
            "the read model was rebuilt by other rules or settings: start this process again"
        )


def write_projected(c: Writing, rows: Sequence[ProjectedRow], mark: str = "?") -> None:
    """Take rows away, then write: a row may be both taken away and written anew."""
    ordered = sorted(rows, key=lambda r: (r.table, r.generation, r.part, r.at, r.key))
    places = [(r.table, r.generation, r.part, r.at, r.key) for r in ordered if r.body is None]
    if places:
        c.executemany(_marked(_DELETE, mark), places)
    kept = [
        (r.table, r.generation, r.part, r.at, r.key, r.body) for r in ordered if r.body is not None
    ]
    if kept:
        c.executemany(_marked(_SET, mark), kept)


def _marked(statement: str, mark: str) -> str:
    return statement.replace("?", mark)
