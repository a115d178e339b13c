"""The pages on which people enter facts: choose a patient, fill in a form, save it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.facts import Month
from services.access.principal import Right
from services.histories import Unanswerable
from services.ingest import Ingest
from services.pages.enter import usual
from services.pages.enter.answering import NOT_OURS, Again, Shown, act_id, attempt
from services.pages.enter.blanks import BLANKS
from services.pages.enter.entering import (
    Saying,
    Wish,
    history_or_empty,
    merged_into,
    revision_text,
)
from services.pages.enter.fields import Blank
from services.pages.enter.names import new_entry_id
from services.pages.enter.reading import Draft, Read, read, worded
from services.pages.enter.standing import standing_of
from services.pages.enter.usual import Desk
from services.pages.enter.ways import can_be_withdrawn, form_address
from services.pages.forms import Form
from services.pages.patient import address
from services.pages.place import Place, Refusal
from services.pages.saying import document
from services.pages.shell import Shell
from services.wire.decode import faults_of

PATH: Final = "/enter/{practice:id}/{month}"
FORM: Final = f"{PATH}/{{patient:id}}/{{form}}"
NAME: Final = "enter"


class EnterPages:
    """The pages and their acts. Acts go through the same core as every event."""

    def __init__(self, shell: Shell, ingest: Ingest) -> None:
        self._shell, self._ingest = shell, ingest

    def routes(self) -> list[Route]:
        shell, right = self._shell, Right.ENTER
        return [
            shell.entry("/enter", NAME, right),
            shell.route(PATH, NAME, right, self._start),
            shell.route(FORM, "enter-form", right, self._form),
            shell.act(FORM, "enter-save", right, self._save),
        ]

    def _start(self, request: Request, place: Place) -> Response:
        patient, enrol = request.query_params.get("patient", "").strip(), ""
        if patient:
            try:
                history_or_empty(self._shell.parts, place.practice, patient, False)
                return RedirectResponse(form_address(place, patient, "time"), 303)
            except Unanswerable:
                enrol = form_address(place, patient, "enrolment")
        said: dict[str, Any] = {"title": "Enter by hand", "patient": patient, "enrol": enrol}
        return self._shell.page(request, "enter_start.html", place, chooser=NAME, **said)

    def _form(self, request: Request, place: Place) -> Response:
        blank = _blank(request)
        desk = desk_of(self._shell, request, place, is_new=blank.name == "enrolment")
        texts = usual.usual(blank, desk) | _asked(request, blank)
        revision = ""
        _refuse_kept(desk, blank, texts)
        if "entry_id" in texts:
            texts |= _entry(desk, texts["entry_id"])
            revision = revision_text(desk.history, texts["entry_id"])
        return self._shown(request, place, desk, Shown(blank, texts, revision=revision), 200)

    def _save(self, request: Request, place: Place, form: Form) -> Response:
        blank = _blank(request)
        desk = desk_of(self._shell, request, place, is_new=blank.name == "enrolment")
        texts = {each.name: form.one(each.name) for each in blank.fields}
        _refuse_kept(desk, blank, texts)
        shown = Shown(blank, texts, revision=form.one("revision"), seen=form.one("seen"))
        id = act_id(form.one("act"))
        if id is None:
            return self._shown(request, place, desk, replace(shown, notice=NOT_OURS), 422)
        shown = replace(shown, act=id.hex)
        found = read(Draft(blank, texts), desk.timeline.timezone_on, desk.now)
        if blank.type == "time.logged.v1":
            found.data["entry_id"] = new_entry_id(id)
        if problems := _problems(desk, blank, found):
            return self._shown(request, place, desk, replace(shown, problems=problems), 422)
        wish = Wish(
            id=id,
            practice=place.practice,
            patient=desk.history.patient_id,
            sayings=(Saying(blank.type, found.data),),
            by=place.principal.name,
            seen=shown.seen,
            revision={texts["entry_id"]: shown.revision} if "entry_id" in texts else {},
            is_new=blank.name == "enrolment",
        )
        done = attempt(self._shell.parts, self._ingest, wish, shown)
        if isinstance(done, Again):
            return self._shown(request, place, desk, done.shown, done.status)
        month = month_of_data(found.data, place.month)
        return RedirectResponse(saved_address(place, wish.patient, month, done), 303)

    def _shown(
        self, request: Request, place: Place, desk: Desk, shown: Shown, status: int
    ) -> Response:
        return self._shell.page(
            request, "enter.html", place, status, **said_of(self._shell, place, desk, shown)
        )


def said_of(shell: Shell, place: Place, desk: Desk, shown: Shown) -> dict[str, Any]:
    """What the templates of forms want to know."""
    patient = desk.history.patient_id
    return {
        "title": f"{shown.blank.title}, {patient}",
        "chooser": NAME,
        "shown": shown,
        "patient": patient,
        "page": address(place.practice, patient, place.month),
        "is_known": bool(desk.history.events),
        "stands": standing_of(desk, shell.parts.book),
        "timezone": desk.timezone,
        "offers": desk.offers(),
        "forms": [
            (blank, form_address(place, patient, blank.name))
            for blank in BLANKS.values()
            if blank.offered
        ],
    }


def desk_of(shell: Shell, request: Request, place: Place, is_new: bool = False) -> Desk:
    """Who fills in a form, about whom. Raises Refusal for a patient who is not here, and for one
    whose record ended in another's."""
    patient: str = request.path_params["patient"]
    try:
        history = history_or_empty(shell.parts, place.practice, patient, is_new)
    except Unanswerable as error:
        detail = f"There is no patient {patient!r} in this practice."
        raise Refusal(404, "No such patient", detail) from error
    if other := merged_into(history):
        detail = f"This record ended in that of {other!r}: enter it there."
        raise Refusal(409, "A merged record", detail)
    policy = shell.parts.settings.policy_of(place.practice)
    return Desk(place.principal, history, policy, place.month, place.now)


def saved_address(place: Place, patient: str, month: Month, ids: tuple[str, ...]) -> str:
    """The patient's page with what these events changed."""
    entered = urlencode([("entered", id) for id in ids])
    return f"{address(place.practice, patient, month)}?{entered}"


def month_of_data(data: Mapping[str, Any], usual_month: Month) -> Month:
    """The month that an event is about where it says one."""
    for name in ("started_at", "performed_on", "month"):
        if name in data:
            return str(data[name])[:7]
    return usual_month


def _blank(request: Request) -> Blank:
    blank = BLANKS.get(request.path_params["form"])
    if blank is None:
        raise Refusal(404, "No such form", "Choose one on the page of a patient.")
    return blank


def _asked(request: Request, blank: Blank) -> dict[str, str]:
    """Values that the address gives."""
    names = {field.name for field in blank.fields}
    return {name: text for name, text in request.query_params.items() if name in names}


def _entry(desk: Desk, entry_id: str) -> dict[str, str]:
    """The entry to be corrected, as it stands. Raises Refusal where none does."""
    found = usual.of_entry(desk, entry_id)
    if found is None:
        detail = f"No entry {entry_id[:60]!r} of this patient stands."
        raise Refusal(404, "No such entry", detail)
    return found


def _refuse_kept(desk: Desk, blank: Blank, texts: Mapping[str, str]) -> None:
    """Raise Refusal where a form would withdraw what is not there, or not for it to withdraw: to
    reopen a month needs the right to close it."""
    if blank.type != "event.retracted.v1":
        return
    key = (texts["event_source"], texts["event_id"])
    pairs = zip(desk.history.events, desk.history.stored, strict=True)
    if not any(event.key == key and can_be_withdrawn(row.name) for event, row in pairs):
        detail = "No fact of this patient with this source and id can be withdrawn by a form."
        raise Refusal(404, "No such fact", detail)


def _problems(desk: Desk, blank: Blank, found: Read) -> dict[str, str]:
    """What is wrong, by field, whoever finds it: the form, or the contract's own reader."""
    place = (desk.history.practice_id, desk.history.patient_id)
    faults = faults_of(document("form", blank.type, *place, desk.now, found.data))
    return worded(blank, faults, found.problems)
