"""The few pages of signing in and out, made on the server; they work without scripts."""

from __future__ import annotations

from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.pages import assets
from services.pages.look import look_of
from services.pages.place import month_words

FORM_BYTES_MAX: Final = 16_384
FIELDS_MAX: Final = 16


class BadForm(ValueError):
    """What was sent is no form of ours."""


@cache
def _templates() -> Environment:
    loader = ChoiceLoader([PackageLoader("services.access"), PackageLoader("services.pages")])
    made = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["asset"] = assets.address
    made.filters["month_words"] = month_words
    return made


def page(request: Request, template: str, title: str, status: int = 200, **said: Any) -> Response:
    """A template of this folder as a page, in the frame that all pages have."""
    frame: dict[str, Any] = {
        "look": look_of(request),
        "path": "/",
        "place": None,
        "slots": [],
        "title": title,
    }
    text = _templates().get_template(template).render({**frame, **said})
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
