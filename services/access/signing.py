"""Signing in and out: `/auth/…`. By local account here; by a provider in `services.access.flow`."""

from __future__ import annotations

import logging
from typing import Any, Final

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from infra.accounts import ACCOUNT, OIDC, Accounts, Bounds, Session
from services.access import answers, passwords
from services.access.limits import Rate, Tries
from services.access.noting import Notes
from services.access.pages import page, place_of
from services.access.principal import principal_of
from services.access.provider import Provider
from services.access.routes import OPEN, SIGNED_IN, needs
from services.access.sessions import Sessions
from services.pages.forms import BadForm, form_of
from services.problems import problem

log = logging.getLogger("caretally.access")

NAME_TRIES: Final = 5
ADDRESS_TRIES: Final = 25
"""Wrong passwords before the next ones wait. Many people may share one address."""

SIGN_INS_PER_MINUTE: Final = 60
"""Of one address, whatever comes of them."""

HASHES_AT_ONCE: Final = 2
"""Each takes 64 MiB and a tenth of a second of a core."""
HASHES_WAITING_MAX: Final = 20

FORM_BYTES_MAX: Final = 16_384
"""Anybody may send one."""

TITLE: Final = "Sign in"
WRONG: Final = "This name and password are not known here."


class Entrance:
    """Begins and ends sessions, and writes that down before anybody gets in."""

    def __init__(
        self, accounts: Accounts, sessions: Sessions, notes: Notes, takes_passwords: bool
    ) -> None:
        self.sessions, self.notes = sessions, notes
        self.takes_passwords = takes_passwords
        self._accounts = accounts
        self._names, self._addresses = Tries(NAME_TRIES), Tries(ADDRESS_TRIES)
        self._often = Rate(SIGN_INS_PER_MINUTE)
        self._hashing = anyio.Semaphore(HASHES_AT_ONCE)
        self._waiting = 0

    def wait(self, request: Request, name: str | None = None) -> float:
        """Seconds before this address, and this name, may try again; 0: now."""
        address = _address(request)
        seconds = max(self._often.wait(address), self._addresses.wait(address))
        return seconds if name is None else max(seconds, self._names.wait(name))

    async def is_right(self, request: Request, name: str, password: str) -> bool | None:
        """Whether an account of this name, not disabled, has this password; None: too busy."""
        if self._waiting >= HASHES_WAITING_MAX:
            return None
        self._waiting += 1
        try:
            async with self._hashing:
                account = await run_in_threadpool(self._accounts.account, name)
                kept = account.password if account and not account.disabled else None
                right = await run_in_threadpool(passwords.is_right, kept, password)
        finally:
            self._waiting -= 1
        self._count(request, name, right)
        return right

    def _count(self, request: Request, name: str, right: bool) -> None:
        if right:
            self._names.passed(name)
        else:
            self._names.failed(name)
            self._addresses.failed(_address(request))

    async def let_in(
        self, request: Request, way: str, subject: str, name: str, bounds: Bounds, to: str
    ) -> Response:
        """Write it down, begin a session in place of any before, and go on."""
        before = self.sessions.brought(request)
        await run_in_threadpool(self.notes.signed_in, name, way, subject)
        secret = await run_in_threadpool(self.sessions.begin, way, subject, name, bounds, before)
        answer = RedirectResponse(place_of(to), 303)
        self.sessions.give(answer, secret)
        return answer

    async def refuse(self, request: Request, name: str, way: str, why: str) -> None:
        """Write a refusal down. Only names that are somebody's: others may be passwords."""
        known = await run_in_threadpool(self._accounts.account, name) if way == ACCOUNT else None
        told = known.name if known else "unknown name"
        await run_in_threadpool(self.notes.sign_in_refused, request, told, way, why)


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def routes(entrance: Entrance, provider: Provider | None) -> list[Route]:
    """The pages of signing in and out."""
    called = provider.name if provider else ""

    def asked(
        request: Request, to: str, status: int = 200, said: str = "", name: str = ""
    ) -> Response:
        values = {"to": place_of(to), "said": said, "name": name}
        ways = {"provider": called, "passwords": entrance.takes_passwords}
        return page(request, "sign_in.html", TITLE, status, **values, **ways)

    @needs(OPEN)
    async def sign_in(request: Request) -> Response:
        return asked(request, request.query_params.get("to", "/"))

    @needs(OPEN)
    async def sent(request: Request) -> Response:
        if not entrance.takes_passwords:
            return problem(404, "there are no local accounts here")
        try:
            form = await form_of(request, FORM_BYTES_MAX)
        except BadForm as error:
            return problem(400, str(error))
        name = form.one("name").strip().lower()
        to, password = form.one("to"), form.one("password")
        if seconds := entrance.wait(request, name):
            await entrance.refuse(request, name, ACCOUNT, "too many tries")
            said = asked(request, to, 429, "Too many tries. Wait a little, then try again.", name)
            said.headers["retry-after"] = str(int(seconds) + 1)
            return said
        right = await entrance.is_right(request, name, password)
        if right is None:
            return asked(request, to, 503, "Too many sign in at once. Try again.", name)
        if not right:
            await entrance.refuse(request, name, ACCOUNT, "wrong name or password")
            return asked(request, to, 403, WRONG, name)
        return await entrance.let_in(request, ACCOUNT, name, name, Bounds(()), to)

    @needs(OPEN)
    async def sign_out(request: Request) -> Response:
        session = getattr(request.state, "session", None)
        try:
            everywhere = bool((await form_of(request, FORM_BYTES_MAX)).one("everywhere"))
        except BadForm as error:
            return problem(400, str(error))
        to = "/auth/signed-out"
        if isinstance(session, Session):
            await run_in_threadpool(entrance.notes.signed_out, session.name, everywhere)
            await run_in_threadpool(entrance.sessions.end, session, everywhere)
            if session.way == OIDC and provider is not None:
                to = await provider.end_address(str(request.base_url)) or to
        answer = RedirectResponse(to, 303)
        entrance.sessions.take(answer)
        return answer

    @needs(OPEN)
    async def signed_out(request: Request) -> Response:
        return page(request, "signed_out.html", "Signed out")

    @needs(SIGNED_IN)
    async def me(request: Request) -> Response:
        principal = principal_of(request)
        practices = principal.practices
        shown: dict[str, Any] = {
            "name": principal.name,
            "roles": sorted(principal.roles),
            "practices": None if practices is None else sorted(practices),
        }
        if not answers.wants_page(request):
            return JSONResponse(shown)
        has_session = hasattr(request.state, "session")
        return page(request, "me.html", principal.name, **shown, signed_in=has_session)

    return [
        Route(answers.SIGN_IN, sign_in),
        Route(answers.SIGN_IN, sent, methods=["POST"]),
        Route("/auth/sign-out", sign_out, methods=["POST"]),
        Route("/auth/signed-out", signed_out),
        Route("/auth/me", me),
    ]
