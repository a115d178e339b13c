"""The log's lock in PostgreSQL: writers queue for it, and none may keep it in silence.

A writer that is stopped in the middle of its transaction (a frozen machine, a suspended process, a
line that went dead without a word) would keep all others waiting for as long as it sleeps. No
timeout of the server's own covers that while rows are being copied in, so whoever has waited long
enough ends such sessions. Nothing is lost: what was not committed is read again from its feed, and
the one that wakes finds its connection gone and its position passed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from psycopg import Connection
from psycopg.errors import LockNotAvailable

LOCK_SECONDS: Final = 10.0
"""How long a writer waits for the lock, and how long a holder may leave the server without word."""

LOCK_LOG: Final = "LOCK TABLE stored_events IN EXCLUSIVE MODE"
"""Readers go on; positions are given out and committed in one order."""

_END_SILENT = """\
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE relation = 'stored_events'::regclass AND mode = 'ExclusiveLock' AND granted
    AND wait_event = 'ClientRead' AND usename = current_user
    AND clock_timestamp() - state_change > make_interval(secs => %s)
"""


def lock_log(connection: Connection[Any]) -> None:
    """Take the lock for the rest of the transaction. Raises LockNotAvailable after
    `LOCK_SECONDS`."""
    patience = f"SET LOCAL lock_timeout = '{int(LOCK_SECONDS * 1000)}ms'"
    connection.execute(f"{patience}; {LOCK_LOG}".encode())


def waited_in_vain(error: BaseException) -> bool:
    """Whether this is, or comes of, a lock that was not to be had in time."""
    return isinstance(error, LockNotAvailable) or isinstance(error.__cause__, LockNotAvailable)


def end_silent_holders(connect: Callable[[], Connection[Any]]) -> int:
    """End sessions that hold the lock and only wait for their own client; how many there were."""
    with connect() as connection:
        return len(connection.execute(_END_SILENT, (LOCK_SECONDS,)).fetchall())
