"""Templates in the frame that all pages have: base.html, its words, its files."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.requests import Request

from services.access.principal import EVERYBODY_HERE, NOBODY, principal_of
from services.explain.text import UNPRINTABLE
from services.pages import assets
from services.pages.ids import part
from services.pages.look import look_of
from services.pages.place import month_words
from services.pages.words import FILTERS


def environment(*packages: str) -> Environment:
    """The templates of these packages, looked for in this order, beside those of the pages."""
    made = Environment(
        loader=ChoiceLoader([PackageLoader(name) for name in (*packages, "services.pages")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    made.globals["asset"] = assets.address
    made.filters |= {**FILTERS, "month_words": month_words, "part": part}
    return made


def frame(request: Request, path: str) -> dict[str, Any]:
    """What base.html wants of every page; `who` is whoever is known by name, else empty, and
    `timer` makes the bar of their timers, None for whoever has none."""
    principal = principal_of(request)
    who = "" if principal in (NOBODY, EVERYBODY_HERE) else principal.name
    said = {"look": look_of(request), "path": path, "who": who}
    return {**said, "place": None, "slots": [], "timer": None}


def path_of(request: Request) -> str:
    """Where to come back to: the page itself, or the one that a form was sent from."""
    path, query = request.url.path, urlencode(request.query_params.multi_items())
    if request.method == "POST":
        sent_from = urlsplit(request.headers.get("referer", ""))
        path, query = sent_from.path or path, sent_from.query
    return f"{path}?{query}" if query else path


def _printable(value: Any) -> Any:
    """Identifiers come from outside: what could turn or hide a line is shown as U+FFFD."""
    return UNPRINTABLE.sub("\ufffd", value) if type(value) is str else value
