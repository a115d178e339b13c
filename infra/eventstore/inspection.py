"""A look at a database as it is: nothing is created, migrated or left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from infra.eventstore.schema import steps
from infra.eventstore.sqlite_keys import KEY_TABLES

CONNECT_SECONDS = 5
LOCK_SECONDS = 10
SQLITE = "sqlite:///"
_MARK = "INSERT INTO tracking VALUES ('__doctor__', 0)"
_KEYS_OF_EVENTS = "SELECT event_key, position FROM stored_events WHERE event_key IS NOT NULL"
_KEYS_KEPT = " UNION ALL ".join(f"SELECT key, position FROM {table}" for table in KEY_TABLES)
_IN = "EXISTS (SELECT 1 FROM {0} k WHERE k.key = event_key AND k.position = e.position)"
_KEYS_LOST = "SELECT count(*) FROM stored_events e WHERE event_key IS NOT NULL " + " ".join(
    f"AND NOT {_IN.format(table)}" for table in KEY_TABLES
)
_KEYS_OF_NOTHING = (
    f"SELECT {' + '.join(f'(SELECT count(*) FROM {table})' for table in KEY_TABLES)} "
    "- (SELECT count(event_key) FROM stored_events)"
)


def file_of(url: str) -> Path | None:
    """The file of an SQLite database, None for another one."""
    return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None


def schema_known(url: str) -> int:
    """The schema version of this release."""
    return steps("sqlite" if file_of(url) else "postgres")[-1].version


def schema_found(url: str) -> int:
    """The schema version of the database, 0 where nothing was set up in it yet.

    Raises whatever the database's driver raises when it cannot be opened.
    """
    if path := file_of(url):
        return _sqlite_version(path) if path.exists() else 0
    import psycopg

    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
        (found,) = connection.execute("SELECT to_regclass('schema_version')").fetchone() or (None,)
        if found is None:
            return 0
        row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
        return int(row[0]) if row else 0


def _sqlite_version(path: Path) -> int:
    with _sqlite(path, "ro") as connection:
        named = "SELECT 1 FROM sqlite_master WHERE name = 'schema_version'"
        if not connection.execute(named).fetchone():
            return 0
        row = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").fetchone()
        return int(row[0])


def try_to_write(url: str) -> None:
    """Write a row and take it back. Raises the driver's error where that is not possible."""
    if path := file_of(url):
        with _sqlite(path, "rw") as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(_MARK)
            connection.execute("ROLLBACK")
        return
    import psycopg

    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
        connection.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
        connection.execute(_MARK)
        connection.rollback()


def keys_astray(url: str) -> tuple[int, int]:
    """How many events are not known by their key, and how many keys are of no event. (0 and 0 on
    PostgreSQL, where keys are an index of the log, and no business of ours.)"""
    path = file_of(url)
    if path is None:
        return 0, 0
    with _sqlite(path, "ro") as connection:
        connection.execute("BEGIN")  # all of it as of one moment
        if _print_of(connection, _KEYS_OF_EVENTS) == _print_of(connection, _KEYS_KEPT):
            return 0, 0
        lost = int(connection.execute(_KEYS_LOST).fetchone()[0])
        return lost, int(connection.execute(_KEYS_OF_NOTHING).fetchone()[0]) + lost


def server_clock_us(url: str) -> int | None:
    """What the database server's clock says, in microseconds since the epoch; None without one."""
    if file_of(url):
        return None
    import psycopg

    with psycopg.connect(url, connect_timeout=CONNECT_SECONDS) as connection:
        query = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        row = connection.execute(query).fetchone()
        return int(row[0]) if row else None


def _print_of(connection: sqlite3.Connection, query: str) -> tuple[int, int]:
    """How many keys with positions there are, and a sum that hardly any others of them make."""
    count = total = 0
    for key, position in connection.execute(query):
        count += 1
        total += int.from_bytes(key[:8], "little") * (2 * position + 1)
    return count, total


@contextmanager
def _sqlite(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    address = f"file:{quote(str(path))}?mode={mode}"
    connection = sqlite3.connect(address, uri=True, timeout=LOCK_SECONDS, isolation_level=None)
    with closing(connection):
        yield connection
