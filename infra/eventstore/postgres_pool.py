"""The library's pool of connections, made to notice soon that a database is back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from eventsourcing.postgres import ConnectionPool
from psycopg import Connection
from psycopg.rows import dict_row

CONNECTIONS: Final = 2
CONNECTIONS_MAX: Final = 20
WAIT_SECONDS: Final = 30.0
"""How long whoever needs a connection waits for one."""
LIFETIME_SECONDS: Final = 3600.0

RETRY_SECONDS: Final = 1.0
"""How soon a database that does not answer is tried again. The pool's own way is to double its
waits for five minutes: after an outage it could be two more minutes until it looked again."""


def pool(
    settings: dict[str, Any], configure: Callable[[Connection[Any]], None]
) -> ConnectionPool[Any]:
    """A pool that is not open yet, for the database of these settings."""
    return ConnectionPool(
        connection_class=Connection,
        kwargs=settings | {"row_factory": dict_row},
        min_size=CONNECTIONS,
        max_size=CONNECTIONS_MAX,
        open=False,
        configure=configure,
        # A connection that died while idle is replaced before use, not found out in a batch.
        check=ConnectionPool.check_connection,
        timeout=WAIT_SECONDS,
        max_lifetime=LIFETIME_SECONDS,
        reconnect_timeout=RETRY_SECONDS,
        reconnect_failed=_begin_again,
    )


def _begin_again(given_up: Any) -> None:
    """A try was given up: while others wait for a connection, the next one begins at once."""
    given_up.check()
