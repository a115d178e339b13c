"""`projections.deliveries.Deliveries` beside the log, on SQLite and PostgreSQL.

Both speak the statements below; PostgreSQL's marks are written its own way. Signing secrets lie in
the database as they are: who can read it reads patients' facts too, and a signature needs the
secret itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from psycopg.rows import tuple_row

from infra.eventstore.memory import MemoryStore
from infra.eventstore.memory_deliveries import MemoryDeliveries
from projections.deliveries import (
    Deliveries,
    DeliveryState,
    Due,
    Outcome,
    Secret,
    Subscriber,
    SubscriberState,
)
from projections.ports import Store

_SUBSCRIBERS = (
    "SELECT id, url, practices, types, read_through, added_at_us, state, reason, held_until_us, "
    "answered_at_us FROM subscribers ORDER BY added_at_us, id"
)
_SECRETS = (
    "SELECT subscriber_id, secret, expires_at_us FROM subscriber_secrets "
    "ORDER BY expires_at_us IS NOT NULL, expires_at_us DESC"
)
_ENQUEUE = (
    "INSERT INTO deliveries SELECT ?, ?, ?, 'pending', 0, CASE WHEN EXISTS (SELECT 1 "
    "FROM deliveries WHERE subscriber_id = ? AND stream_id = ? AND state = 'pending') "
    "THEN NULL ELSE ? END, '' WHERE true ON CONFLICT DO NOTHING"
)
_DUE = (
    "SELECT position, stream_id, attempts FROM deliveries WHERE subscriber_id = ? "
    "AND state = 'pending' AND next_at_us IS NOT NULL AND next_at_us <= ? "
    "ORDER BY next_at_us, position LIMIT ?"
)
_NEXT_DUE = (
    "SELECT min(next_at_us) FROM deliveries WHERE subscriber_id = ? AND state = 'pending' "
    "AND next_at_us IS NOT NULL"
)
_RECORD = (
    "UPDATE deliveries SET state = ?, attempts = ?, next_at_us = ?, answer = ? "
    "WHERE subscriber_id = ? AND position = ?"
)
_RELEASE = (
    "UPDATE deliveries SET next_at_us = ? WHERE subscriber_id = ? AND next_at_us IS NULL "
    "AND position = (SELECT min(position) FROM deliveries WHERE subscriber_id = ? "
    "AND stream_id = ? AND state = 'pending')"
)
_RESTART = (
    "UPDATE deliveries SET next_at_us = CASE WHEN position = (SELECT min(position) "
    "FROM deliveries o WHERE o.subscriber_id = deliveries.subscriber_id "
    "AND o.stream_id = deliveries.stream_id AND o.state = 'pending') THEN ? END "
    "WHERE subscriber_id = ? AND state = 'pending'"
)
_RAISED = (
    "SELECT t.position FROM alert_state a JOIN transitions t ON t.alert_id = a.alert_id "
    "AND t.transition = a.transition WHERE a.raised AND t.position > ? AND t.position <= ? "
    "ORDER BY t.position"
)
_BEGIN = (
    "INSERT INTO sink_starts SELECT ?, coalesce(max(position), 0) FROM transitions "
    "WHERE true ON CONFLICT DO NOTHING"
)


class Cursor(Protocol):
    """What the two databases' cursors have in common."""

    def execute(self, statement: Any, values: Any = ..., /) -> Any: ...
    def executemany(self, statement: Any, values: Any, /) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    @property
    def rowcount(self) -> int: ...


Transaction = Callable[[bool], AbstractContextManager[Cursor]]
"""Opens one transaction; the argument says whether it writes."""


def open_deliveries(store: Store) -> Deliveries:
    """The ledger that belongs to an open store and lives in the same database."""
    if isinstance(store, MemoryStore):
        return MemoryDeliveries(store)
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, SQLiteStore):
        return SqlDeliveries(_sqlite(store), "?")
    return SqlDeliveries(_postgres(store), "%s")


def _sqlite(store: Any) -> Transaction:
    @contextmanager
    def transaction(write: bool) -> Iterator[Any]:
        with store.recorder.datastore.transaction(commit=write) as cursor:
            cursor.sqlite_cursor.row_factory = None
            yield cursor.sqlite_cursor

    return transaction


def _postgres(store: Any) -> Transaction:
    @contextmanager
    def transaction(write: bool) -> Iterator[Any]:
        del write
        with store.recorder.datastore.get_connection() as connection, connection.transaction():
            yield connection.cursor(row_factory=tuple_row)

    return transaction


class SqlDeliveries:
    """The ledger in tables; `mark` is how the database writes a value's place."""

    def __init__(self, transaction: Transaction, mark: str) -> None:
        self._transaction = transaction
        self._mark = mark

    def add(self, subscriber: Subscriber) -> None:
        s = subscriber
        with self._transaction(True) as c:
            c.execute(
                self._sql("INSERT INTO subscribers VALUES (?,?,?,?,?,?,?,?,?,?)"),
                (
                    s.id,
                    s.url,
                    json.dumps(s.practices),
                    json.dumps(s.types),
                    s.state.value,
                    s.reason,
                    s.read_through,
                    s.held_until_us,
                    s.added_at_us,
                    s.answered_at_us,
                ),
            )
            self._add_secrets(c, s.id, s.secrets)

    def _add_secrets(self, c: Cursor, subscriber_id: str, secrets: Sequence[Secret]) -> None:
        c.executemany(
            self._sql("INSERT INTO subscriber_secrets VALUES (?,?,?)"),
            [(subscriber_id, secret.text, secret.expires_at_us) for secret in secrets],
        )

    def subscribers(self) -> list[Subscriber]:
        with self._transaction(False) as c:
            c.execute(self._sql(_SUBSCRIBERS))
            rows = c.fetchall()
            c.execute(self._sql(_SECRETS))
            secrets: dict[str, list[Secret]] = {}
            for owner, text, expires in c.fetchall():
                secrets.setdefault(owner, []).append(Secret(text, expires))
        return [_subscriber(row, secrets.get(row[0], [])) for row in rows]

    def set_state(self, subscriber_id: str, state: SubscriberState, reason: str) -> bool:
        return (
            self._change(
                "UPDATE subscribers SET state = ?, reason = ? WHERE id = ?",
                (state.value, reason, subscriber_id),
            )
            == 1
        )

    def hold(self, subscriber_id: str, until_us: int) -> None:
        self._change(
            "UPDATE subscribers SET held_until_us = ? WHERE id = ?", (until_us, subscriber_id)
        )

    def set_secrets(self, subscriber_id: str, secrets: Sequence[Secret]) -> None:
        with self._transaction(True) as c:
            c.execute(
                self._sql("DELETE FROM subscriber_secrets WHERE subscriber_id = ?"),
                (subscriber_id,),
            )
            self._add_secrets(c, subscriber_id, secrets)

    def remove(self, subscriber_id: str) -> bool:
        with self._transaction(True) as c:
            for table in ("subscriber_secrets", "deliveries"):
                statement = f"DELETE FROM {table} WHERE subscriber_id = ?"
                c.execute(self._sql(statement), (subscriber_id,))
            c.execute(self._sql("DELETE FROM subscribers WHERE id = ?"), (subscriber_id,))
            return c.rowcount == 1

    def enqueue(
        self,
        subscriber_id: str,
        after: int,
        through: int,
        wanted: Sequence[tuple[int, str]],
        now_us: int,
    ) -> bool:
        with self._transaction(True) as c:
            c.execute(
                self._sql(
                    "UPDATE subscribers SET read_through = ? WHERE id = ? AND read_through = ?"
                ),
                (through, subscriber_id, after),
            )
            if c.rowcount != 1:
                return False
            c.executemany(
                self._sql(_ENQUEUE),
                [
                    (subscriber_id, position, stream, subscriber_id, stream, now_us)
                    for position, stream in wanted
                ],
            )
            return True

    def due(self, subscriber_id: str, now_us: int, limit: int) -> list[Due]:
        return [Due(*row) for row in self._rows(_DUE, (subscriber_id, now_us, limit))]

    def next_due(self, subscriber_id: str) -> int | None:
        ((next_at_us,),) = self._rows(_NEXT_DUE, (subscriber_id,))
        return None if next_at_us is None else int(next_at_us)

    def record(self, subscriber_id: str, outcomes: Sequence[Outcome], now_us: int) -> None:
        ended = [o for o in outcomes if o.state is not DeliveryState.PENDING]
        with self._transaction(True) as c:
            c.executemany(
                self._sql(_RECORD),
                [
                    (o.state.value, o.attempts, o.next_at_us, o.answer, subscriber_id, o.position)
                    for o in outcomes
                ],
            )
            c.executemany(
                self._sql(_RELEASE),
                [(now_us, subscriber_id, subscriber_id, o.stream_id) for o in ended],
            )
            if any(o.state is DeliveryState.DELIVERED for o in ended):
                c.execute(
                    self._sql("UPDATE subscribers SET answered_at_us = ? WHERE id = ?"),
                    (now_us, subscriber_id),
                )

    def requeue(self, subscriber_id: str, now_us: int) -> int:
        with self._transaction(True) as c:
            c.execute(
                self._sql(
                    "UPDATE deliveries SET state = 'pending', attempts = 0 "
                    "WHERE subscriber_id = ? AND state = 'failed'"
                ),
                (subscriber_id,),
            )
            failed = c.rowcount
            c.execute(self._sql(_RESTART), (now_us, subscriber_id))
            c.execute(
                self._sql("UPDATE subscribers SET held_until_us = 0 WHERE id = ?"),
                (subscriber_id,),
            )
            return failed

    def counts(self, subscriber_id: str) -> dict[str, int]:
        found = {"pending": 0, "failed": 0}
        for state in found:
            statement = (
                "SELECT count(*) FROM deliveries "
                f"WHERE subscriber_id = ? AND state = '{state}'"  # a literal: the partial index
            )
            ((found[state],),) = self._rows(statement, (subscriber_id,))
        return found

    def begin(self, sink: str) -> int:
        self._change(_BEGIN, (sink,))
        ((position,),) = self._rows("SELECT position FROM sink_starts WHERE sink = ?", (sink,))
        return int(position)

    def last_transition(self) -> int:
        ((position,),) = self._rows("SELECT coalesce(max(position), 0) FROM transitions", ())
        return int(position)

    def raised(self, after: int, through: int) -> list[int]:
        return [int(row[0]) for row in self._rows(_RAISED, (after, through))]

    def _rows(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._transaction(False) as c:
            c.execute(self._sql(statement), values)
            return c.fetchall()

    def _change(self, statement: str, values: tuple[Any, ...]) -> int:
        with self._transaction(True) as c:
            c.execute(self._sql(statement), values)
            return c.rowcount

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._mark)


def _subscriber(row: Any, secrets: Sequence[Secret]) -> Subscriber:
    id, url, practices, types, through, added, state, reason, held, answered = row
    return Subscriber(
        id=id,
        url=url,
        secrets=tuple(secrets),
        practices=tuple(json.loads(practices)),
        types=tuple(json.loads(types)),
        read_through=through,
        added_at_us=added,
        state=SubscriberState(state),
        reason=reason,
        held_until_us=held,
        answered_at_us=answered,
    )
