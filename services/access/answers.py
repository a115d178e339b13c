"""Answers to requests that are not let through: a page for people, problem+json for programs."""

from __future__ import annotations

from math import ceil
from typing import Final
from urllib.parse import urlencode

from starlette.requests import HTTPConnection, Request
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
    # A part of an open page was asked for: the whole page comes anew, and leads to signing in.
    again = {"hx-refresh": "true"} if "hx-request" in connection.headers else {}
    return problem(401, detail, "Nobody is signed in", BEARER | again)


def not_yours(connection: HTTPConnection, right: str) -> Response:
    """The principal is known, and this is not among its rights."""
    if wants_page(connection):
        from services.access.pages import page  # it stands upon what stands upon this

        said = f"Your account may not do this; it needs the right {right!r}."
        return page(Request(connection.scope), "refused.html", "Not allowed", 403, detail=said)
    detail = f"expected the right {right!r}, which none of your roles holds"
    return problem(403, detail, "Your roles do not allow this", right=right)


def too_many(seconds: float) -> Response:
    """The principal, or the address, asks too often."""
    wait = max(1, ceil(seconds))
    detail = f"expected fewer requests; come back in {wait} s"
    return problem(429, detail, "Too many requests", {"retry-after": str(wait)})


def store_is_out() -> Response:
    """Who asks cannot be looked up, or what is asked not be written down."""
    return problem(503, "the store does not answer; come back", headers={"retry-after": "5"})


def not_known() -> Response:
    """The credentials that were brought are wrong, expired or revoked."""
    return problem(401, "the credentials are not, or no longer, valid", "Not known here", BEARER)


def wants_page(connection: HTTPConnection) -> bool:
    """Whether a browser wants to show the answer as a page, rather than a script a part of one."""
    headers = connection.headers
    whole = headers.get("sec-fetch-dest", "document") == "document" and "hx-request" not in headers
    accepted = headers.get("accept", "")
    return whole and "text/html" in accepted and "text/event-stream" not in accepted


def _asked(connection: HTTPConnection) -> str:
    """The path to come back to; what was sent to a path is not sent again."""
    if connection.scope.get("method") not in ("GET", "HEAD"):
        return "/"
    query = connection.url.query
    return f"{connection.url.path}?{query}" if query else connection.url.path
