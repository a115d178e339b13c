"""The few pages of signing in and out, made on the server; they work without scripts."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.pages.frame import environment, frame

FORM_BYTES_MAX: Final = 16_384
FIELDS_MAX: Final = 16


class BadForm(ValueError):
    """What was sent is no form of ours."""


@cache
def _templates() -> Environment:
    return environment("services.access")


def page(request: Request, template: str, title: str, status: int = 200, **said: Any) -> Response:
    """A template as a page, in the frame that all pages have."""
    around = {**frame(request, "/"), "title": title}
    text = _templates().get_template(template).render({**around, **said})
    return HTMLResponse(text, status, {"cache-control": "no-store"})


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a small form. Raises BadForm."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > FORM_BYTES_MAX:
            raise BadForm(f"expected at most {FORM_BYTES_MAX} bytes")
    try:
        return dict(parse_qsl(body.decode(), True, max_num_fields=FIELDS_MAX))
    except ValueError:
        raise BadForm("expected the fields of a form") from None


def place_of(text: str) -> str:
    """A place of ours to go on to; anything that could lead elsewhere becomes the first page."""
    fit = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if fit and "\\" not in text and not text.startswith("/auth/") else "/"
