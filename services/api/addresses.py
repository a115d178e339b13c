"""Addresses whose parts are opaque ids: an id with a slash stays one part of the path.

Servers decode `%2F` before anybody can tell it from a slash between two parts. Here the path is
taken apart as it was sent; inside, a slash of an id is written as a character that no id may hold.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Receive, Scope, Send

API: Final = "/api/v1"
STAND_IN: Final = "\x1f"


def address(*parts: str) -> str:
    """The path of the API with these parts, each of them percent-encoded."""
    return "/".join([API, *(quote(part, safe="") for part in parts)])


def restored(part: str) -> str:
    """A part of a path as it was meant."""
    return part.replace(STAND_IN, "/")


class WholeParts:
    """Gives the application paths in which encoded slashes do not part anything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        raw: bytes = scope.get("raw_path") or b""
        if b"%2f" in raw.lower():
            parts = raw.partition(b"?")[0].decode("latin-1").split("/")
            scope = {**scope, "path": "/".join(unquote(p).replace("/", STAND_IN) for p in parts)}
        await self._app(scope, receive, send)
