"""The few pages of signing in and out, made on the server; they work without scripts."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from services.pages.frame import environment, frame


@cache
def _templates() -> Environment:
    return environment("services.access")


def page(request: Request, template: str, title: str, status: int = 200, **said: Any) -> Response:
    """A template as a page, in the frame that all pages have."""
    around = {**frame(request, "/"), "title": title}
    text = _templates().get_template(template).render({**around, **said})
    return HTMLResponse(text, status, {"cache-control": "no-store"})


def place_of(text: str) -> str:
    """A place of ours to go on to; anything that could lead elsewhere becomes the first page."""
    fit = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isprintable()
    return text if fit and "\\" not in text and not text.startswith("/auth/") else "/"
