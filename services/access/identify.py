"""Finds the principal of each request, and puts it where `principal_of` looks."""

from __future__ import annotations

import asyncio
import hmac
import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from infra.access_settings import AccessSettings
from infra.accounts import Accounts
from infra.clock import Clock
from services.access import answers
from services.access.bounds import principal_with
from services.access.limits import Monotonic
from services.access.noting import Notes
from services.access.principal import EVERYBODY_HERE, NOBODY, Principal, Role
from services.access.secrets import digest
from services.access.sessions import TOUCH_US, Sessions
from services.outage import is_outage

log = logging.getLogger("caretally.access")

CONFIGURED_TOKEN: Final = "http token"
CONFIGURED_HOLDER: Final = Principal(CONFIGURED_TOKEN, frozenset({Role.INTEGRATOR}))

LOOK_SECONDS: Final = 1.0
"""How long nobody having an account is believed."""

RECHECK_SECONDS: Final = 5.0
"""An answer that goes on, such as a stream of alerts, ends soon after its session does."""


ANSWER_SECONDS_MAX: Final = 10.0
"""A database that has not said by then who asks is out."""
THREADS: Final = 8

Result = TypeVar("Result")


class WrongCredentials(Exception):
    """What was brought proves nothing: it never counts as having brought nothing."""


class Ways:
    """The ways in, as configured. What blocks is done in threads of their own: a database that
    hangs holds up no page that needs none."""

    def __init__(self, settings: AccessSettings, accounts: Accounts, clock: Clock) -> None:
        token = settings.http_token
        self._configured = token.get_secret_value().encode() if token else None
        self._accounts, self._clock = accounts, clock
        self.sessions = Sessions(accounts, clock, settings)
        self._people = settings.takes_passwords or bool(settings.oidc_issuer)
        self._open = settings.opens_to_everybody
        self._looked: float | None = None
        self._threads = ThreadPoolExecutor(THREADS, "access")

    async def principal(self, connection: HTTPConnection, using: bool = True) -> Principal:
        """Who asks; NOBODY where nothing was brought. `using`: it counts as use of a session.

        Raises WrongCredentials, and what the database's driver raises.
        """
        brought = bearer(connection)
        if brought is not None:
            return await self._of_token(brought)
        secret = self.sessions.brought(connection)
        if secret and self._people:
            used = using and not unattended(connection)
            found = await self.in_thread(self.sessions.find, secret, used)
            if found is not None:
                connection.scope["state"]["session"] = found
                return principal_with(found.name, found.bounds)
        return EVERYBODY_HERE if await self._is_open() else NOBODY

    async def _of_token(self, brought: bytes) -> Principal:
        if self._configured and hmac.compare_digest(brought, self._configured):
            return CONFIGURED_HOLDER
        return await self.in_thread(self._of_service_token, digest(brought))

    def _of_service_token(self, digest: bytes) -> Principal:
        token, now = self._accounts.token(digest), self._clock()
        if token is None or token.revoked_at_us is not None or now >= token.expires_at_us:
            raise WrongCredentials
        if token.used_at_us is None or now - token.used_at_us >= TOUCH_US:
            self._accounts.token_used(token.id, now)
        return principal_with(f"token {token.name}", token.bounds)

    async def in_thread(self, work: Callable[..., Result], *given: object) -> Result:
        """What blocks, in a thread; raises TimeoutError where it takes too long."""
        doing = asyncio.get_running_loop().run_in_executor(self._threads, partial(work, *given))
        return await asyncio.wait_for(doing, ANSWER_SECONDS_MAX)

    async def _is_open(self) -> bool:
        """Whether everybody here is let in; once somebody has an account never again."""
        if not self._open:
            return False
        now = time.monotonic()
        if self._looked is None or now - self._looked >= LOOK_SECONDS:
            self._open = not await self.in_thread(self._accounts.accounts)
            self._looked = now
        return self._open


def unattended(connection: HTTPConnection) -> bool:
    """Whether a page asks by itself: streams, and what it fetches when a stream tells of news.

    A board that is left open must not keep its session alive.
    """
    headers = connection.headers
    return "x-unattended" in headers or "text/event-stream" in headers.get("accept", "")


def bearer(connection: HTTPConnection) -> bytes | None:
    """The bearer token of a request, None where there is none. Raises WrongCredentials."""
    found = [value for name, value in connection.scope["headers"] if name == b"authorization"]
    if not found:
        return None
    scheme, _, token = found[0].partition(b" ")
    if len(found) > 1 or scheme.lower() != b"bearer" or not token:
        raise WrongCredentials
    return bytes(token)


class Identified:
    """Only requests of a known principal, or of nobody, go on; wrong credentials end here."""

    def __init__(
        self,
        app: ASGIApp,
        ways: Ways,
        notes: Notes,
        probes: Collection[str] = (),
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        """`probes` are paths that are answered whoever asks, without looking up who that is."""
        self._app, self._ways, self._notes = app, ways, notes
        self._probes = frozenset(probes)
        self._monotonic = monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # nothing of ours speaks anything else
        scope["state"] = {**scope.get("state", {}), "notes": self._notes}
        connection = HTTPConnection(scope)
        try:
            probed = scope["path"] in self._probes
            principal = NOBODY if probed else await self._ways.principal(connection)
        except WrongCredentials:
            await self._note_refusal(connection)
            await answers.not_known()(scope, receive, send)
            return
        except Exception as error:
            log.warning("who asks cannot be found out: %s", type(error).__name__)
            await answers.store_is_out()(scope, receive, send)
            return
        scope["state"]["principal"] = principal
        await self._answer(connection, receive, send)

    async def _note_refusal(self, connection: HTTPConnection) -> None:
        try:
            await self._ways.in_thread(self._notes.token_refused, connection)
        except Exception as error:
            log.warning("a refusal cannot be written down: %s", type(error).__name__)

    async def _answer(self, connection: HTTPConnection, receive: Receive, send: Send) -> None:
        started = ended = False
        checked = self._monotonic()

        async def sent(message: Message) -> None:
            nonlocal started, ended, checked
            started, now = True, self._monotonic()
            if message.get("more_body") and now - checked >= RECHECK_SECONDS:
                checked = now
                if not await self._is_the_same(connection):
                    ended = True
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    raise OSError("whoever asked is not known any more")
            await send(message)

        try:
            await self._app(connection.scope, receive, sent)
        except Exception as error:
            if not started and is_outage(error):
                log.warning("the store does not answer: %s", type(error).__name__)
                await answers.store_is_out()(connection.scope, receive, send)
            elif not ended:
                raise

    async def _is_the_same(self, connection: HTTPConnection) -> bool:
        """Whether the principal is what it was when it asked; an outage changes nothing."""
        try:
            found = await self._ways.principal(connection, using=False)
            return bool(found == connection.state.principal)
        except WrongCredentials:
            return False
        except Exception:
            return True
