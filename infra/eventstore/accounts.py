"""`infra.accounts.Accounts` beside the log, on SQLite and PostgreSQL."""

from __future__ import annotations

import json
from typing import Any, Final

from infra.accounts import ACCOUNT, Account, Accounts, Bounds, ServiceToken, Session
from infra.eventstore.memory import MemoryStore
from infra.eventstore.memory_accounts import MemoryAccounts
from infra.eventstore.transactions import Cursor
from infra.eventstore.transparency import open_transaction
from projections.ports import Store

_ACCOUNT: Final = "SELECT name, password, roles, practices, added_at_us, disabled FROM accounts"
_SESSION: Final = (
    "SELECT s.way, s.subject, s.name, coalesce(a.roles, s.roles), "
    "CASE WHEN a.name IS NULL THEN s.practices ELSE a.practices END, "
    "s.began_at_us, s.used_at_us, s.ends_at_us FROM sessions s "
    f"LEFT JOIN accounts a ON s.way = '{ACCOUNT}' AND a.name = s.subject "
    f"WHERE s.digest = ? AND (s.way <> '{ACCOUNT}' OR a.disabled = 0)"
)
_TOKEN: Final = (
    "SELECT id, name, digest, roles, practices, added_at_us, expires_at_us, used_at_us, "
    "revoked_at_us FROM service_tokens"
)


def open_accounts(store: Store) -> Accounts:
    """The rows that belong to an open store and live in the same database."""
    if isinstance(store, MemoryStore):
        return MemoryAccounts()
    return SqlAccounts(store)


class SqlAccounts:
    """The rows in tables."""

    def __init__(self, store: Store) -> None:
        self._transaction, self._mark = open_transaction(store)

    def add_account(self, account: Account) -> bool:
        a = account
        row = (a.name, a.password, *_texts(a.bounds), a.added_at_us, int(a.disabled))
        return self._change("INSERT INTO accounts VALUES (?,?,?,?,?,?) ON CONFLICT DO NOTHING", row)

    def account(self, name: str) -> Account | None:
        rows = self._rows(f"{_ACCOUNT} WHERE name = ?", (name,))
        return _account(rows[0]) if rows else None

    def accounts(self) -> list[Account]:
        return sorted(map(_account, self._rows(_ACCOUNT)), key=lambda account: account.name)

    def set_bounds(self, name: str, bounds: Bounds) -> bool:
        statement = "UPDATE accounts SET roles = ?, practices = ? WHERE name = ?"
        return self._change(statement, (*_texts(bounds), name))

    def set_password(self, name: str, password: str) -> bool:
        return self._change_and_end("password", name, password)

    def set_disabled(self, name: str, disabled: bool) -> bool:
        return self._change_and_end("disabled", name, int(disabled))

    def _change_and_end(self, column: str, name: str, value: object) -> bool:
        with self._transaction(True) as c:
            c.execute(self._sql(f"UPDATE accounts SET {column} = ? WHERE name = ?"), (value, name))
            changed = c.rowcount == 1
            self._end_all(c, ACCOUNT, name)
        return changed

    def begin(self, session: Session) -> None:
        s = session
        times = (s.began_at_us, s.used_at_us, s.ends_at_us)
        row = (s.digest, s.way, s.subject, s.name, *_texts(s.bounds), *times)
        with self._transaction(True) as c:
            forget = "DELETE FROM sessions WHERE ends_at_us <= ?"
            c.execute(self._sql(forget), (s.began_at_us,))
            c.execute(self._sql("INSERT INTO sessions VALUES (?,?,?,?,?,?,?,?,?)"), row)

    def session(self, digest: bytes) -> Session | None:
        rows = self._rows(_SESSION, (digest,))
        if not rows:
            return None
        way, subject, name, roles, practices, *times = rows[0]
        return Session(digest, way, subject, name, _bounds(roles, practices), *times)

    def touch(self, digest: bytes, used_at_us: int) -> None:
        statement = "UPDATE sessions SET used_at_us = ? WHERE digest = ? AND used_at_us < ?"
        self._change(statement, (used_at_us, digest, used_at_us))

    def end(self, digest: bytes) -> bool:
        return self._change("DELETE FROM sessions WHERE digest = ?", (digest,))

    def end_all(self, way: str, subject: str) -> int:
        with self._transaction(True) as c:
            return self._end_all(c, way, subject)

    def _end_all(self, c: Cursor, way: str, subject: str) -> int:
        statement = "DELETE FROM sessions WHERE way = ? AND subject = ?"
        c.execute(self._sql(statement), (way, subject))
        return c.rowcount

    def add_token(self, token: ServiceToken) -> bool:
        t = token
        times = (t.added_at_us, t.expires_at_us, t.used_at_us, t.revoked_at_us)
        row = (t.id, t.name, t.digest, *_texts(t.bounds), *times)
        return self._change(
            "INSERT INTO service_tokens VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT DO NOTHING", row
        )

    def tokens(self) -> list[ServiceToken]:
        return [_token(row) for row in self._rows(f"{_TOKEN} ORDER BY added_at_us, id")]

    def token(self, digest: bytes) -> ServiceToken | None:
        rows = self._rows(f"{_TOKEN} WHERE digest = ?", (digest,))
        return _token(rows[0]) if rows else None

    def revoke(self, token_id: str, at_us: int) -> bool:
        statement = (
            "UPDATE service_tokens SET revoked_at_us = ? WHERE id = ? AND revoked_at_us IS NULL"
        )
        return self._change(statement, (at_us, token_id))

    def token_used(self, token_id: str, at_us: int) -> None:
        statement = (
            "UPDATE service_tokens SET used_at_us = ? "
            "WHERE id = ? AND (used_at_us IS NULL OR used_at_us < ?)"
        )
        self._change(statement, (at_us, token_id, at_us))

    def _rows(self, statement: str, values: tuple[object, ...] = ()) -> list[Any]:
        with self._transaction(False) as c:
            c.execute(self._sql(statement), values)
            return c.fetchall()

    def _change(self, statement: str, values: tuple[object, ...]) -> bool:
        with self._transaction(True) as c:
            c.execute(self._sql(statement), values)
            return c.rowcount == 1

    def _sql(self, statement: str) -> str:
        return statement.replace("?", self._mark)


def _texts(bounds: Bounds) -> tuple[str, str | None]:
    practices = None if bounds.practices is None else json.dumps(bounds.practices)
    return json.dumps(bounds.roles), practices


def _bounds(roles: str, practices: str | None) -> Bounds:
    return Bounds(
        tuple(json.loads(roles)), None if practices is None else tuple(json.loads(practices))
    )


def _account(row: Any) -> Account:
    name, password, roles, practices, added_at_us, disabled = row
    return Account(name, password, _bounds(roles, practices), added_at_us, bool(disabled))


def _token(row: Any) -> ServiceToken:
    id, name, digest, roles, practices, *times = row
    return ServiceToken(id, name, bytes(digest), _bounds(roles, practices), *times)
