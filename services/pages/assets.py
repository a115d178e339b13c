"""The files beside the pages: style, script, icon. Their addresses carry a digest of their bytes,
so a browser keeps them for ever and still sees a new release at once."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.access import OPEN, needs

PATH: Final = "/static"
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "woff2": "font/woff2",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"


@cache
def _content(name: str) -> bytes | None:
    """The file's bytes; None for one that is not served."""
    parts = name.split("/")
    if parts[-1].rpartition(".")[2] not in _TYPES or any(part in ("", "..") for part in parts):
        return None
    file = files("services.pages").joinpath("static", *parts)
    return file.read_bytes() if file.is_file() else None


@cache
def digest(name: str) -> str:
    """What the file's address carries. Raises KeyError for a file that does not exist."""
    content = _content(name)
    if content is None:
        raise KeyError(name)
    return sha256(content).hexdigest()[:12]


def address(name: str) -> str:
    """Where a page finds the file. Raises KeyError for one that does not exist."""
    return f"{PATH}/{digest(name)}/{name}"


def routes() -> list[Route]:
    """The files; they hold no data, so no right is asked for."""

    @needs(OPEN)
    def answer(request: Request) -> Response:
        name: str = request.path_params["name"]
        content = _content(name)
        if content is None:
            return Response("no such file\n", 404, media_type="text/plain")
        # An address of another release gets today's bytes, and does not keep them.
        # Files of others bear their version in their names, and the style asks for them itself.
        ours = request.path_params["digest"] == digest(name) or name.startswith("vendor/")
        headers = {
            "cache-control": _FOR_EVER if ours else "no-store",
            "content-type": _TYPES[name.rpartition(".")[2]],
            "x-content-type-options": "nosniff",
        }
        return Response(content, headers=headers)

    return [Route(f"{PATH}/{{digest}}/{{name:path}}", answer, name="static")]
