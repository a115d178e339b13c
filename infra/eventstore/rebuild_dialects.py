"""Where SQLite and PostgreSQL differ in a rebuild: who is kept out, and by what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

READERS_SECONDS_MAX: Final = 2
"""How long PostgreSQL's switch waits for readers in the live table, while events wait for it."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where the two databases differ."""

    mark: str
    position: str
    """The column of an event's place in the log."""
    hold_log: tuple[str, ...] = ()
    """What keeps events out until the transaction ends; SQLite's write lock does."""
    hold_rebuild: tuple[str, ...] = ()
    """What lets one process at a time begin a rebuild."""
    hold_readers: tuple[str, ...] = ()
    hold_live: tuple[str, ...] = ()
    """What keeps a switch out until a transaction that reads several things ends."""
    empty: str = "DELETE FROM assessments_next"


SQLITE: Final = Dialect("?", "position")


def postgres() -> Dialect:
    """PostgreSQL's; its driver is loaded where it is used."""
    from infra.eventstore.postgres_lock import LOCK_LOG, LOCK_SECONDS

    return Dialect(
        "%s",
        "notification_id",
        hold_log=(f"SET LOCAL lock_timeout = '{LOCK_SECONDS:g}s'", LOCK_LOG),
        hold_rebuild=("LOCK TABLE rebuild IN EXCLUSIVE MODE",),
        hold_readers=(
            f"SET LOCAL lock_timeout = '{READERS_SECONDS_MAX}s'",
            "LOCK TABLE assessments IN ACCESS EXCLUSIVE MODE",
        ),
        hold_live=("LOCK TABLE assessments IN ACCESS SHARE MODE",),
        empty="TRUNCATE assessments_next",
    )
