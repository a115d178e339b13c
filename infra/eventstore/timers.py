"""`infra.timers.Timers` beside the log, on SQLite and PostgreSQL; and in memory, for tests."""

from __future__ import annotations

import json
from threading import Lock
from typing import Any, Final

from eventsourcing.persistence import IntegrityError

from infra.eventstore.memory import MemoryStore
from infra.eventstore.transactions import Cursor
from infra.eventstore.transparency import open_transaction
from infra.timers import FIRST_VERSION, Stretch, Timer, Timers
from projections.ports import Store

_SELECT: Final = (
    "SELECT id, person, practice_id, patient_id, state, began_at, stretches, version FROM timers "
    "WHERE person = ? ORDER BY began_at, id"
)
_INSERT: Final = "INSERT INTO timers VALUES (?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING"
_UPDATE: Final = (
    "UPDATE timers SET state = ?, stretches = ?, version = ? WHERE id = ? AND version = ?"
)


def open_timers(store: Store) -> Timers:
    """The rows that belong to an open store and live in the same database."""
    if isinstance(store, MemoryStore):
        return MemoryTimers()
    return SqlTimers(store)


class _Lost(Exception):
    """A row is not as expected: the transaction is given up."""


class SqlTimers:
    """The rows in a table. That one timer runs at a time is the database's own word, so it holds
    whichever processes write."""

    def __init__(self, store: Store) -> None:
        self._transaction, self._mark = open_transaction(store)

    def of(self, person: str) -> list[Timer]:
        with self._transaction(False) as c:
            c.execute(self._sql(_SELECT), (person,))
            return [_timer(row) for row in c.fetchall()]

    def write(self, *timers: Timer) -> bool:
        try:
            with self._transaction(True) as c:
                for timer in sorted(timers, key=lambda each: each.state == "running"):
                    self._write(c, timer)
        except (_Lost, IntegrityError):
            return False
        return True

    def _write(self, c: Cursor, t: Timer) -> None:
        said = json.dumps(t.stretches)
        if t.version == FIRST_VERSION:
            address = (t.id, t.person, t.practice_id, t.patient_id)
            c.execute(self._sql(_INSERT), (*address, t.state, t.began_at, said, t.version))
        else:
            c.execute(self._sql(_UPDATE), (t.state, said, t.version, t.id, t.version - 1))
        if c.rowcount != 1:
            raise _Lost

    def remove(self, timer_id: str) -> bool:
        with self._transaction(True) as c:
            c.execute(self._sql("DELETE FROM timers WHERE id = ?"), (timer_id,))
            return c.rowcount == 1

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._mark)


def _timer(row: Any) -> Timer:
    id, person, practice, patient, state, began_at, said, version = row
    stretches = tuple(Stretch(*each) for each in json.loads(said))
    return Timer(id, person, practice, patient, state, began_at, stretches, version)


class MemoryTimers:
    """The rows in a dictionary; gone with the process. Safe to call from several threads."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._timers: dict[str, Timer] = {}

    def of(self, person: str) -> list[Timer]:
        with self._turn:
            mine = [timer for timer in self._timers.values() if timer.person == person]
        return sorted(mine, key=lambda timer: (timer.began_at, timer.id))

    def write(self, *timers: Timer) -> bool:
        with self._turn:
            versions = {id: timer.version for id, timer in self._timers.items()}
            if any(versions.get(t.id, 0) != t.version - 1 for t in timers):
                return False
            after = self._timers | {timer.id: timer for timer in timers}
            running = [t.person for t in after.values() if t.state == "running"]
            still_open = [t for t in after.values() if t.state != "stopped"]
            addresses = [(t.person, t.practice_id, t.patient_id) for t in still_open]
            if len(set(running)) < len(running) or len(set(addresses)) < len(addresses):
                return False
            self._timers = after
            return True

    def remove(self, timer_id: str) -> bool:
        with self._turn:
            return self._timers.pop(timer_id, None) is not None
