"""`infra.accounts.Accounts` in memory, for tests; gone with the process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from infra.accounts import ACCOUNT, Account, Bounds, ServiceToken, Session


class MemoryAccounts:
    """The rows in dictionaries. Safe to call from several threads."""

    def __init__(self) -> None:
        self._turn = Lock()
        self._accounts: dict[str, Account] = {}
        self._sessions: dict[bytes, Session] = {}
        self._tokens: dict[str, ServiceToken] = {}

    def add_account(self, account: Account) -> bool:
        with self._turn:
            return self._accounts.setdefault(account.name, account) is account

    def account(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def accounts(self) -> list[Account]:
        with self._turn:
            return [account for _, account in sorted(self._accounts.items())]

    def set_bounds(self, name: str, bounds: Bounds) -> bool:
        return self._change(name, lambda account: replace(account, bounds=bounds))

    def set_password(self, name: str, password: str) -> bool:
        self.end_all(ACCOUNT, name)
        return self._change(name, lambda account: replace(account, password=password))

    def set_disabled(self, name: str, disabled: bool) -> bool:
        self.end_all(ACCOUNT, name)
        return self._change(name, lambda account: replace(account, disabled=disabled))

    def _change(self, name: str, changed: Callable[[Account], Account]) -> bool:
        with self._turn:
            if name in self._accounts:
                self._accounts[name] = changed(self._accounts[name])
            return name in self._accounts

    def begin(self, session: Session) -> None:
        with self._turn:
            kept = self._sessions.items()
            self._sessions = {d: s for d, s in kept if s.ends_at_us > session.began_at_us}
            self._sessions[session.digest] = session

    def session(self, digest: bytes) -> Session | None:
        with self._turn:
            found = self._sessions.get(digest)
            if found is None or found.way != ACCOUNT:
                return found
            account = self._accounts.get(found.subject)
            if account is None or account.disabled:
                return None
            return replace(found, bounds=account.bounds)

    def touch(self, digest: bytes, used_at_us: int) -> None:
        with self._turn:
            found = self._sessions.get(digest)
            if found is not None:
                used = max(used_at_us, found.used_at_us)
                self._sessions[digest] = replace(found, used_at_us=used)

    def end(self, digest: bytes) -> bool:
        with self._turn:
            return self._sessions.pop(digest, None) is not None

    def end_all(self, way: str, subject: str) -> int:
        with self._turn:
            theirs = [
                digest
                for digest, session in self._sessions.items()
                if (session.way, session.subject) == (way, subject)
            ]
            for digest in theirs:
                del self._sessions[digest]
            return len(theirs)

    def add_token(self, token: ServiceToken) -> bool:
        with self._turn:
            in_use = {t.name for t in self._tokens.values() if t.revoked_at_us is None}
            if token.id in self._tokens or token.name in in_use:
                return False
            self._tokens[token.id] = token
            return True

    def tokens(self) -> list[ServiceToken]:
        with self._turn:
            return sorted(self._tokens.values(), key=lambda t: (t.added_at_us, t.id))

    def token(self, digest: bytes) -> ServiceToken | None:
        with self._turn:
            return next((t for t in self._tokens.values() if t.digest == digest), None)

    def revoke(self, token_id: str, at_us: int) -> bool:
        with self._turn:
            found = self._tokens.get(token_id)
            if found is None or found.revoked_at_us is not None:
                return False
            self._tokens[token_id] = replace(found, revoked_at_us=at_us)
            return True

    def token_used(self, token_id: str, at_us: int) -> None:
        with self._turn:
            if found := self._tokens.get(token_id):
                used = max(at_us, found.used_at_us or 0)
                self._tokens[token_id] = replace(found, used_at_us=used)
