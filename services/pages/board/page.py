"""The board's page, and the fragments by which it stays true while somebody looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from projections.board import Show
from services.access.principal import Right
from services.pages.board import telling
from services.pages.board.boards import Boards, Seen
from services.pages.board.changes import Changes
from services.pages.place import Place, Refusal
from services.pages.shell import Shell

PATH: Final = "/board/{practice:id}/{month}"
ROWS_A_PAGE: Final = 50
SEARCH_CHARS_MAX: Final = 80
ROWS_AT_ONCE_MAX: Final = 200
"""Rows that one request may ask for again; a page has fewer."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What of a board somebody looks at."""

    show: Show = Show.ALL
    search: str = ""
    page: int = 1

    def query(self, **other: Any) -> str:
        """The same with something else, as a query; what is usual is left out."""
        said = {"show": self.show.value, "find": self.search, "page": self.page} | other
        usual = {"show": Show.ALL.value, "find": "", "page": 1}
        kept = {name: value for name, value in said.items() if value != usual.get(name)}
        return f"?{urlencode(kept)}" if kept else "?"


class BoardPages:
    """The routes of the board."""

    def __init__(self, shell: Shell, boards: Boards, changes: Changes) -> None:
        self._shell, self._boards, self._changes = shell, boards, changes

    def routes(self) -> list[BaseRoute]:
        shell = self._shell
        return [
            shell.entry("/board", "board", Right.READ),
            shell.route(PATH, "board", Right.READ, self._board),
            shell.route(f"{PATH}/rows", "board-rows", Right.READ, self._rows),
            shell.stream(f"{PATH}/changes", "board-changes", Right.READ, self._stream),
        ]

    def _board(self, request: Request, place: Place) -> Response:
        choice, seen = _choice(request), self._boards.seen(place)
        found = seen.chosen(choice.show, choice.search)
        pages = max(1, ceil(len(found) / ROWS_A_PAGE))
        first = (min(choice.page, pages) - 1) * ROWS_A_PAGE
        shown = found[first : first + ROWS_A_PAGE]
        return self._shell.page(
            request,
            "board.html",
            place,
            title=f"Board of {place.practice}",
            lines=[telling.line(row, place.today, seen.approaching_seconds) for row in shown],
            found=len(found),
            first=first,
            pages=pages,
            **_said(request, place, choice, seen),
        )

    def _rows(self, request: Request, place: Place) -> Response:
        """The rows that changed, each to be put in the place where it stands, and the totals."""
        choice, seen = _choice(request), self._boards.seen(place)
        asked = request.query_params.getlist("of")[:ROWS_AT_ONCE_MAX]
        found = {row.patient_id for row in seen.chosen(choice.show, choice.search)}
        lines = [
            (
                telling.line(seen.rows[patient], place.today, seen.approaching_seconds),
                patient in found,
            )
            for patient in asked
            if patient in seen.rows
        ]
        gone = [telling.anchor(patient) for patient in asked if patient not in seen.rows]
        return self._shell.page(
            request,
            "board-rows.html",
            place,
            lines=lines,
            gone=gone,
            **_said(request, place, choice, seen),
        )

    async def _stream(self, request: Request, place: Place) -> Response:
        def today() -> date:
            return self._shell.places.of(place.principal, place.practice, place.month).today

        return await self._changes.answer(request, place, today)


def _said(request: Request, place: Place, choice: Choice, seen: Seen) -> dict[str, Any]:
    """What the page and its fragments both write down."""
    return {
        "choice": choice,
        "totals": seen.totals,
        "position": seen.position,
        "gauge": telling.gauge(seen.totals),
        "telling": telling,
        "shows": list(Show),
        "here": request.url_for("board", practice=place.practice, month=place.month).path,
    }


def _choice(request: Request) -> Choice:
    """What the query asks for. Raises Refusal for what cannot be."""
    asked = request.query_params
    try:
        show = Show(asked.get("show") or Show.ALL)
    except ValueError:
        words = ", ".join(Show)
        detail = f"show: expected one of {words}; found {asked['show'][:40]!r}."
        raise Refusal(400, "No such list", detail) from None
    page = asked.get("page") or "1"
    if not (page.isascii() and page.isdigit()) or not 1 <= len(page) <= 6 or page.strip("0") == "":
        detail = f"page: expected a number from 1 on; found {page[:20]!r}."
        raise Refusal(400, "No such page", detail)
    return Choice(show, asked.get("find", "").strip()[:SEARCH_CHARS_MAX], int(page))
