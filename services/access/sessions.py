"""Sessions of people: a random text in a cookie, its digest in the database, two expiries."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection
from starlette.responses import Response

from infra.access_settings import AccessSettings
from infra.accounts import Accounts, Bounds, Session
from infra.clock import Clock
from services.access.secrets import digest, new_secret

MINUTE_US: Final = 60_000_000
TOUCH_US: Final = MINUTE_US
"""A session's use is noted this seldom: reading pages must not keep the database writing."""


class Sessions:
    """Begins, finds and ends sessions. Calls block, and raise what the database's driver raises."""

    def __init__(self, accounts: Accounts, clock: Clock, settings: AccessSettings) -> None:
        self._accounts, self._clock = accounts, clock
        self._idle_us = settings.session_idle_minutes * MINUTE_US
        self._whole_us = settings.session_hours * 60 * MINUTE_US
        self._https = settings.is_https

    def begin(self, way: str, subject: str, name: str, bounds: Bounds, before: str | None) -> str:
        """A new session in place of the one that the browser may have held `before`; its secret.

        What a browser brought is never taken over: nobody can be given a session by another.
        """
        if before:
            self._accounts.end(digest(before))
        secret, now = new_secret(), self._clock()
        self._accounts.begin(
            Session(digest(secret), way, subject, name, bounds, now, now, now + self._whole_us)
        )
        return secret

    def find(self, secret: str, using: bool = True) -> Session | None:
        """The session of a secret, unless it is over; that it is used is noted, where it is."""
        found, now = self._accounts.session(digest(secret)), self._clock()
        if found is None:
            return None
        if now >= found.ends_at_us or now - found.used_at_us >= self._idle_us:
            self._accounts.end(found.digest)
            return None
        if using and now - found.used_at_us >= TOUCH_US:
            self._accounts.touch(found.digest, now)
        return found

    def end(self, session: Session, everywhere: bool) -> None:
        """End it, or all of its person."""
        if everywhere:
            self._accounts.end_all(session.way, session.subject)
        self._accounts.end(session.digest)

    @property
    def cookie(self) -> str:
        """`__Host-` makes browsers refuse it from anybody but this host, and without TLS."""
        return "__Host-caretally" if self._https else "caretally"

    def brought(self, connection: HTTPConnection) -> str | None:
        """The secret that a request brought."""
        return connection.cookies.get(self.cookie) or None

    def give(self, response: Response, secret: str) -> None:
        """Until the browser closes, or the session is over here."""
        response.set_cookie(
            self.cookie, secret, secure=self._https, httponly=True, samesite="lax", path="/"
        )

    def take(self, response: Response) -> None:
        response.delete_cookie(
            self.cookie, secure=self._https, httponly=True, samesite="lax", path="/"
        )
