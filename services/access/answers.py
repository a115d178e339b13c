"""Answers to requests that are not let through: a page for people, problem+json for programs."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response

from services.problems import problem

SIGN_IN: Final = "/auth/sign-in"
BEARER: Final = {"www-authenticate": "Bearer"}
"""How programs prove who they are."""


def sign_in_first(connection: HTTPConnection) -> Response:
    """People who open a page go to where they sign in, and come back; programs hear 401."""
    if wants_page(connection):
        return RedirectResponse(f"{SIGN_IN}?{urlencode({'to': _asked(connection)})}", 303)
    detail = "expected a service token as Authorization: Bearer …, or a session"
    return problem(401, detail, "Nobody is signed in", BEARER)


def not_yours(connection: HTTPConnection, right: str) -> Response:
    """The principal is known, and this is not among its rights."""
    del connection
    detail = f"expected the right {right!r}, which none of your roles holds"
    return problem(403, detail, "Your roles do not allow this", right=right)


def not_known() -> Response:
    """The credentials that were brought are wrong, expired or revoked."""
    return problem(401, "the credentials are not, or no longer, valid", "Not known here", BEARER)


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a browser wants to show the answer as a page."""
    return "text/html" in connection.headers.get("accept", "")


def _asked(connection: HTTPConnection) -> str:
    """The path to come back to; what was sent to a path is not sent again."""
    if connection.scope.get("method") not in ("GET", "HEAD"):
        return "/"
    query = connection.url.query
    return f"{connection.url.path}?{query}" if query else connection.url.path
