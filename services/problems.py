"""Errors over HTTP as RFC 9457 has them: one form for every route."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

import msgspec
from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"


def problem(
    status: int,
    detail: str,
    title: str = "",
    headers: dict[str, str] | None = None,
    **members: Any,
) -> Response:
    """An answer that says what is wrong: `detail` is a sentence for people, `members` are for
    programs. Without a title the status's own name is taken."""
    body = {"title": title or HTTPStatus(status).phrase, "status": status, "detail": detail}
    kept = {"cache-control": "no-store", **(headers or {})}
    return Response(msgspec.json.encode(body | members), status, kept, MEDIA_TYPE)
