"""Sign-ins, refusals and changes of accounts, as entries of the access log beside the reads."""

from __future__ import annotations

import logging
from typing import Final

from starlette.requests import HTTPConnection

from infra.clock import Clock
from projections.ports import Store
from services.access.limits import Rate
from services.audit.access import HTTP, REFUSED, SIGN_IN, SIGN_IN_REFUSED, SIGN_OUT, Reader, record

log = logging.getLogger("caretally.access")

REFUSALS_PER_MINUTE: Final = 6
"""Of one caller; the rest is only counted in the log of the process. The log is kept for ever."""

NAME_CHARS_MAX: Final = 64


class Notes:
    """Writes them down. Calls block, and raise what the database's driver raises."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self._seldom = Rate(REFUSALS_PER_MINUTE)

    def signed_in(self, name: str, way: str, subject: str) -> None:
        """Before the session is given: a sign-in that cannot be written down does not happen."""
        self._append(name, SIGN_IN, way=way, subject=subject)

    def signed_out(self, name: str, everywhere: bool) -> None:
        self._append(name, SIGN_OUT, everywhere="yes" if everywhere else None)

    def sign_in_refused(self, connection: HTTPConnection, name: str, way: str, why: str) -> None:
        self._refused(connection, None, name, SIGN_IN_REFUSED, way=way, why=why)

    def token_refused(self, connection: HTTPConnection) -> None:
        """Of whoever brought a bearer token that is not valid."""
        why = "the bearer token is not, or no longer, valid"
        self._refused(connection, None, "unknown token", REFUSED, why=why)

    def refused(self, connection: HTTPConnection, name: str, why: str) -> None:
        """A request of a known principal that its rights or practices do not allow."""
        route = getattr(connection.scope.get("route"), "path", None)
        asked = f"{connection.scope.get('method', '')} {route}" if route else None
        self._refused(connection, name, name, REFUSED, route=asked, why=why)

    def _refused(
        self, connection: HTTPConnection, key: str | None, name: str, what: str, **about: str | None
    ) -> None:
        """Once and again, not each of thousands: `key` is who is counted, else their address."""
        address = connection.client.host if connection.client else "unknown"
        if self._seldom.wait(key or f"from {address}") > 0:
            log.warning("%s once more: %s", what, about.get("why"))
            return
        self._append(name, what, address=address, **about)

    def _append(self, name: str, what: str, **about: str | None) -> None:
        shown = "".join(c for c in name[:NAME_CHARS_MAX] if c.isprintable()) or "nobody"
        record(self._store, self._clock, Reader(HTTP, shown), what, about)
