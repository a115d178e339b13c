"""The page on which measured time is logged: one fact a stretch, as measured or as corrected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.timers import Timer
from services.access.principal import Right, person_of
from services.ingest import Ingest
from services.pages.enter.answering import NOT_OURS, Again, Shown, act_id, attempt
from services.pages.enter.entering import Saying, Wish
from services.pages.enter.names import stored_ids
from services.pages.enter.page import desk_of, month_of_data, said_of, saved_address
from services.pages.enter.reading import worded
from services.pages.enter.usual import Desk
from services.pages.forms import Form
from services.pages.place import Place, Refusal
from services.pages.saying import document
from services.pages.shell import Shell
from services.pages.timer.measured import (
    BELIEVED,
    COMMON,
    KEEP,
    REASON,
    Judged,
    blank_of,
    judge,
    parts_of,
    usual_texts,
)
from services.pages.timer.page import GONE
from services.wire.decode import faults_of

PATH: Final = "/enter/{practice:id}/{month}/{patient:id}/timer"


class TimerLog:
    """The page and its act."""

    def __init__(self, shell: Shell, ingest: Ingest) -> None:
        self._shell, self._ingest = shell, ingest

    def routes(self) -> list[Route]:
        return [
            self._shell.route(PATH, "timer-form", Right.ENTER, self._form),
            self._shell.act(PATH, "timer-log", Right.ENTER, self._log),
        ]

    def _form(self, request: Request, place: Place) -> Response:
        desk = desk_of(self._shell, request, place)
        waiting = self._waiting(request, desk)
        if not waiting:
            said = said_of(self._shell, place, desk, Shown(COMMON, {}))
            return self._shell.page(request, "timer_none.html", place, **said)
        timer = waiting[0]
        parts = parts_of(timer, desk)
        shown = Shown(blank_of(parts), usual_texts(parts, desk), UUID(timer.id).hex)
        return self._shown(request, place, desk, timer, shown, 200)

    def _log(self, request: Request, place: Place, form: Form) -> Response:
        desk, act = desk_of(self._shell, request, place), act_id(form.one("act"))
        waiting = self._waiting(request, desk)
        timer = next((each for each in waiting if each.id == form.one("timer")), None)
        if timer is None:
            return _logged_before(place, desk, act)
        parts = parts_of(timer, desk)
        texts = {each.name: form.one(each.name) for each in blank_of(parts).fields}
        shown = Shown(blank_of(parts), texts, UUID(timer.id).hex, seen=form.one("seen"))
        if act is None:
            return self._shown(request, place, desk, timer, replace(shown, notice=NOT_OURS), 422)
        shown = replace(shown, act=act.hex)
        judged = judge(parts, texts, desk, act)
        if problems := _problems(desk, shown, judged):
            shown = replace(shown, problems=problems)
            return self._shown(request, place, desk, timer, shown, 422)
        sayings = tuple(judged.sayings.values())
        wish = Wish(
            id=act,
            practice=place.practice,
            patient=desk.history.patient_id,
            sayings=sayings,
            by=place.principal.name,
            seen=shown.seen,
        )
        done = attempt(self._shell.parts, self._ingest, wish, shown)
        if isinstance(done, Again):
            return self._shown(request, place, desk, timer, done.shown, done.status)
        self._shell.watches.remove(timer.person, timer.id)
        return RedirectResponse(_saved(place, desk, sayings, done), 303)

    def _waiting(self, request: Request, desk: Desk) -> list[Timer]:
        """The person's stopped timers for this patient, the oldest first."""
        address = (desk.history.practice_id, desk.history.patient_id)
        return [
            timer
            for timer in self._shell.watches.of(person_of(request))
            if timer.state == "stopped"
            and timer.stretches
            and (timer.practice_id, timer.patient_id) == address
        ]

    def _shown(
        self,
        request: Request,
        place: Place,
        desk: Desk,
        timer: Timer,
        shown: Shown,
        status: int,
    ) -> Response:
        said = said_of(self._shell, place, desk, shown)
        own = {"timer_id": timer.id, "parts": parts_of(timer, desk), "common": COMMON.fields}
        fields = {"keep": KEEP, "believed": BELIEVED, "reason": REASON}
        return self._shell.page(
            request, "timer_log.html", place, status, None, **said, **own, **fields
        )


def _problems(desk: Desk, shown: Shown, judged: Judged) -> dict[str, str]:
    """What is wrong, by field: with what all stretches share, and with each of them."""
    place = (desk.history.practice_id, desk.history.patient_id)
    some = {"entry_id": "form", "performed_on": desk.today.isoformat(), "seconds": 1}
    said = document("form", COMMON.type, *place, desk.now, {**some, **judged.common})
    return worded(shown.blank, faults_of(said), judged.problems)


def _logged_before(place: Place, desk: Desk, act: UUID | None) -> Response:
    """A form that comes again after its timer was logged leads where the first one led."""
    ids = stored_ids(desk.history, act) if act else ()
    if not ids:
        raise Refusal(409, "This timer is not there", GONE)
    address = saved_address(place, desk.history.patient_id, place.month, ids)
    return RedirectResponse(address, 303)


def _saved(place: Place, desk: Desk, sayings: Sequence[Saying], ids: tuple[str, ...]) -> str:
    month = month_of_data(sayings[-1].data, place.month)
    return saved_address(place, desk.history.patient_id, month, ids)
