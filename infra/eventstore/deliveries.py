"""`projections.deliveries.Deliveries` beside the log, on SQLite and PostgreSQL.

Both speak the statements below; PostgreSQL's marks are written its own way. Signing secrets lie in
the database as they are: who can read it reads patients' facts too, and a signature needs the
secret itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infra.eventstore import delivery_rows as sql
from infra.eventstore.memory import MemoryStore
from infra.eventstore.memory_deliveries import MemoryDeliveries
from infra.eventstore.transactions import (
    Cursor,
    Transaction,
    postgres_transaction,
    sqlite_transaction,
)
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


def open_deliveries(store: Store) -> Deliveries:
    """The ledger that belongs to an open store and lives in the same database."""
    if isinstance(store, MemoryStore):
        return MemoryDeliveries(store)
    from infra.eventstore.sqlite import SQLiteStore

    if isinstance(store, SQLiteStore):
        return SqlDeliveries(sqlite_transaction(store), "?")
    return SqlDeliveries(postgres_transaction(store), "%s")


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
                    sql.filter_text(s.practices),
                    sql.filter_text(s.types),
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
            c.execute(self._sql(sql.SUBSCRIBERS))
            rows = c.fetchall()
            c.execute(self._sql(sql.SECRETS))
            secrets: dict[str, list[Secret]] = {}
            for owner, text, expires in c.fetchall():
                secrets.setdefault(owner, []).append(Secret(text, expires))
        return [sql.subscriber(row, secrets.get(row[0], [])) for row in rows]

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
                self._sql(sql.ENQUEUE),
                [
                    (subscriber_id, position, stream, subscriber_id, stream, now_us)
                    for position, stream in wanted
                ],
            )
            return True

    def due(self, subscriber_id: str, now_us: int, limit: int) -> list[Due]:
        return [Due(*row) for row in self._rows(sql.DUE, (subscriber_id, now_us, limit))]

    def next_due(self, subscriber_id: str) -> int | None:
        ((next_at_us,),) = self._rows(sql.NEXT_DUE, (subscriber_id,))
        return None if next_at_us is None else int(next_at_us)

    def record(self, subscriber_id: str, outcomes: Sequence[Outcome], now_us: int) -> None:
        ended = [o for o in outcomes if o.state is not DeliveryState.PENDING]
        with self._transaction(True) as c:
            c.executemany(
                self._sql(sql.RECORD),
                [
                    (o.state.value, o.attempts, o.next_at_us, o.answer, subscriber_id, o.position)
                    for o in outcomes
                ],
            )
            c.executemany(
                self._sql(sql.RELEASE),
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
                    "UPDATE deliveries SET state = 'pending' "
                    "WHERE subscriber_id = ? AND state = 'failed'"
                ),
                (subscriber_id,),
            )
            failed = c.rowcount
            c.execute(self._sql(sql.RESTART), (now_us, subscriber_id))
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
        self._change(sql.BEGIN, (sink,))
        ((position,),) = self._rows("SELECT position FROM sink_starts WHERE sink = ?", (sink,))
        return int(position)

    def last_transition(self) -> int:
        ((position,),) = self._rows("SELECT coalesce(max(position), 0) FROM transitions", ())
        return int(position)

    def raised(self, after: int, through: int) -> list[int]:
        return [int(row[0]) for row in self._rows(sql.RAISED, (after, through))]

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
