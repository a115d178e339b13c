"""Finds the principal of each request, and puts it where `principal_of` looks."""

from __future__ import annotations

import hmac
from typing import Final

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.settings import Settings
from services.access import answers
from services.access.principal import EVERYBODY_HERE, NOBODY, Principal, Role

CONFIGURED_TOKEN: Final = "http token"


class WrongCredentials(Exception):
    """What was brought proves nothing: it never counts as having brought nothing."""


class Ways:
    """The ways in, as configured."""

    def __init__(self, settings: Settings) -> None:
        token = settings.http_token
        self._token = token.get_secret_value().encode() if token else None
        self._holder = Principal(CONFIGURED_TOKEN, frozenset({Role.INTEGRATOR}))

    async def principal(self, connection: HTTPConnection) -> Principal:
        """Who asks; NOBODY where nothing was brought. Raises WrongCredentials."""
        brought = bearer(connection)
        if brought is not None:
            if self._token is None or not hmac.compare_digest(brought, self._token):
                raise WrongCredentials
            return self._holder
        return EVERYBODY_HERE if self._token is None else NOBODY


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

    def __init__(self, app: ASGIApp, ways: Ways) -> None:
        self._app, self._ways = app, ways

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return  # nothing of ours speaks anything else
        try:
            principal = await self._ways.principal(HTTPConnection(scope))
        except WrongCredentials:
            await answers.not_known()(scope, receive, send)
            return
        scope.setdefault("state", {})["principal"] = principal
        await self._app(scope, receive, send)
