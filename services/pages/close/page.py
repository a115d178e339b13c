"""The page of a month's close, and what a person does there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID, uuid4

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.time.calendar import first_day
from projections.ports import ReadModelsMoved
from services.access.principal import Right
from services.ingest import Busy, Ingest
from services.pages.close.acting import Act, Kind, perform
from services.pages.close.export import claim_lines, lines_csv
from services.pages.close.sections import close_of, standing
from services.pages.close.selecting import BadSelection, Refused, Selected, Stale, selection
from services.pages.forms import Form
from services.pages.ids import part
from services.pages.place import Place, Refusal
from services.pages.saying import NotTaken
from services.pages.shell import Shell
from services.wire import instants

PATH: Final = "/close/{practice:id}/{month}"
NAME: Final = "close"
REASON_CHARS_MAX: Final = 300
SECTIONS: Final = ("ready", "running", "claimed", "blocked")
SAID: Final[Mapping[str, str]] = {"claim": "marked as claimed", "reopen": "reopened"}


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said about the form that was sent: of which section it was, what is wrong with which
    field, which months were refused, and what the person had put in."""

    section: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    refused: Collection[Refused] = ()
    chosen: Collection[str] = ()
    reason: str = ""
    submitted_on: str = ""


class ClosePages:
    """The page and its acts. Acts go through the same core as every event."""

    def __init__(self, shell: Shell, ingest: Ingest) -> None:
        self._shell, self._ingest = shell, ingest

    def routes(self) -> list[Route]:
        shell, right = self._shell, Right.CLOSE
        return [
            shell.entry("/close", NAME, right),
            shell.route(PATH, NAME, right, self._page),
            shell.act(f"{PATH}/claim", "close-claim", right, self._claim),
            shell.act(f"{PATH}/reopen", "close-reopen", right, self._reopen),
            shell.act(f"{PATH}/export", "close-export", right, self._export),
        ]

    def _page(self, request: Request, place: Place) -> Response:
        return self._shown(request, place, Answered(), 200)

    def _claim(self, request: Request, place: Place, form: Form) -> Response:
        return self._act("claim", request, place, form)

    def _reopen(self, request: Request, place: Place, form: Form) -> Response:
        return self._act("reopen", request, place, form)

    def _act(self, kind: Kind, request: Request, place: Place, form: Form) -> Response:
        answered, act = _act_of(kind, place, form)
        if act is None:
            return self._shown(request, place, answered, 422)
        try:
            taken = perform(self._shell.parts, self._ingest, act)
        except Stale as stale:
            return self._shown(request, place, replace(answered, refused=stale.refused), 409)
        except Busy as busy:
            raise Refusal(503, "Try again", f"Nothing was done: {busy}.") from busy
        except ReadModelsMoved as moved:
            detail = "Nothing was done: this process goes by rules of before, and starts again."
            raise Refusal(503, "Try again", detail) from moved
        except NotTaken as refusal:
            raise Refusal(422, "The log refused it", f"Nothing was done: {refusal}") from refusal
        query = urlencode({"done": kind, "months": taken})
        return RedirectResponse(f"{_here(place)}?{query}", 303)

    def _export(self, request: Request, place: Place, form: Form) -> Response:
        try:
            chosen = selection(form.all("select"))
            lines = claim_lines(self._shell.parts, place.practice, place.month, chosen)
        except BadSelection as error:
            answered = replace(_sent(form), problems={"select": str(error)})
            return self._shown(request, place, answered, 422)
        except Stale as stale:
            answered = replace(_sent(form), refused=stale.refused)
            return self._shown(request, place, answered, 409)
        name = f"claims-{part(place.practice)}-{place.month}.csv"
        headers = {
            "content-disposition": f'attachment; filename="{name}"',
            "cache-control": "no-store",
        }
        return Response(lines_csv(lines), 200, headers, "text/csv; charset=utf-8")

    def _shown(self, request: Request, place: Place, answered: Answered, status: int) -> Response:
        parts, query = self._shell.parts, request.query_params
        begins = {name: _number(query.get(name)) for name in SECTIONS}
        close = close_of(parts, place.practice, place.month, place.today, begins)
        said: dict[str, Any] = {
            "title": f"Close of {place.month}",
            "here": _here(place),
            "close": close,
            "claims": standing(parts, place.practice, close.claimed.shown),
            "act": uuid4().hex,
            "answered": answered,
            "done": _done(query),
            "all_chosen": query.get("select") == "all",
            "text_of": lambda row: Selected(row.patient_id, row.mark).text,
        }
        return self._shell.page(request, "close.html", place, status, chooser=NAME, **said)


def _act_of(kind: Kind, place: Place, form: Form) -> tuple[Answered, Act | None]:
    """The act that a form asks for, or None with what is wrong with it, field by field."""
    problems: dict[str, str] = {}
    chosen: tuple[Selected, ...] = ()
    try:
        chosen = selection(form.all("select"))
    except BadSelection as error:
        problems["select"] = str(error)
    reason = " ".join(form.one("reason").split())
    if not reason or len(reason) > REASON_CHARS_MAX:
        problems["reason"] = f"Say why, in 1 to {REASON_CHARS_MAX} characters."
    on = _day(form.one("submitted_on"), place, problems) if kind == "claim" else place.today
    id = _id(form.one("act"), problems)
    answered = replace(_sent(form), problems=problems, reason=reason)
    if problems or on is None or id is None:
        return answered, None
    by = place.principal.name
    return answered, Act(kind, id, place.practice, place.month, chosen, by, reason, on)


def _day(text: str, place: Place, problems: dict[str, str]) -> date | None:
    """The day a claim goes out: not before its month began, not after tomorrow."""
    try:
        day = instants.day(text)
    except ValueError:
        problems["submitted_on"] = "Expected a day as YYYY-MM-DD."
        return None
    if not first_day(place.month) <= day <= place.today + timedelta(days=1):
        problems["submitted_on"] = f"Expected a day from {first_day(place.month)} to today."
        return None
    return day


def _id(text: str, problems: dict[str, str]) -> UUID | None:
    try:
        return UUID(hex=text)
    except ValueError:
        problems["select"] = "The form is not one of ours: load the page anew."
        return None


def _sent(form: Form) -> Answered:
    """What the person had put in."""
    return Answered(
        section=form.one("section"),
        chosen=form.all("select"),
        reason=form.one("reason"),
        submitted_on=form.one("submitted_on"),
    )


def _here(place: Place) -> str:
    return f"/close/{part(place.practice)}/{place.month}"


def _number(text: str | None) -> int:
    """Where a section begins; whatever is no number is the beginning."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 8 else 0


def _done(query: Mapping[str, str]) -> str:
    """What was done just now, for people; it is told by the address and proves nothing."""
    said, months = SAID.get(query.get("done", "")), _number(query.get("months"))
    return f"{months} {'month' if months == 1 else 'months'} {said}." if said and months else ""
