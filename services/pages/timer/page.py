"""What people do with their timers: start, pause, go on, stop, drop; and the bar by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from infra.timers import Timer
from services.access.pages import place_of
from services.access.principal import Right, person_of
from services.histories import Unanswerable, history_of
from services.ingest import Busy
from services.pages.forms import Form
from services.pages.patient import address
from services.pages.place import Place, Refusal
from services.pages.shell import Shell
from services.pages.timer.bar import Dial
from services.pages.timer.watch import seconds
from services.pages.timer.watches import NoSuchTimer, RunsElsewhere, Switch

PATH: Final = "/timer/{practice:id}/{patient:id}"
SWITCHES: Final[dict[str, Switch]] = {"pause": "pause", "stop": "stop"}
GONE: Final = "It was logged or dropped meanwhile, in another tab perhaps."

Act = Callable[[Request, Place, Form], Response]


class TimerPages:
    """The acts. Every one of them ends with one timer at most that runs, whoever else acts."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def routes(self) -> list[Route]:
        shell, right = self._shell, Right.ENTER
        acts: dict[str, Act] = {
            "start": self._start,
            "resume": self._resume,
            "pause": self._pause,
            "stop": self._stop,
            "drop": self._drop,
        }
        return [
            shell.route("/timer", "timer", right, self._bar),
            *(
                shell.act(f"{PATH}/{name}", f"timer-{name}", right, self._told(act))
                for name, act in acts.items()
            ),
        ]

    def _bar(self, request: Request, place: Place) -> Response:
        return self._shell.page(request, "timer_alone.html", place)

    def _told(self, act: Act) -> Act:
        """The act, with what can be in its way told in a page."""

        def done(request: Request, place: Place, form: Form) -> Response:
            try:
                return act(request, place, form)
            except RunsElsewhere as running:
                if not place.principal.sees(running.other.practice_id):
                    return self._past_hidden(request, place, form, act, running.other)
                return self._choice(request, place, form, running.other)
            except NoSuchTimer:
                raise Refusal(409, "This timer is not there", GONE) from None
            except Busy as busy:
                raise Refusal(503, "Try again", f"Nothing was done: {busy}.") from busy

        return done

    def _past_hidden(
        self, request: Request, place: Place, form: Form, act: Act, other: Timer
    ) -> Response:
        """A timer of a practice that the person sees no more is paused, and nothing said of it."""
        self._shell.watches.pause(other.person, other.id)
        return act(request, place, form)

    def _id(self, request: Request, place: Place, form: Form) -> str:
        """The timer's, where it is the person's own and for this patient, as the access log has it
        now. Raises NoSuchTimer."""
        address = (place.practice, request.path_params["patient"])
        for timer in self._shell.watches.of(person_of(request)):
            is_here = (timer.practice_id, timer.patient_id) == address
            if timer.id == form.one("timer") and is_here:
                return timer.id
        raise NoSuchTimer

    def _start(self, request: Request, place: Place, form: Form) -> Response:
        patient: str = request.path_params["patient"]
        try:
            history_of(self._shell.parts.store, place.practice, patient)
        except Unanswerable as error:
            detail = f"There is no patient {patient!r} in this practice."
            raise Refusal(404, "No such patient", detail) from error
        switch = SWITCHES.get(form.one("switch"), "")
        self._shell.watches.start(person_of(request), place.practice, patient, switch)
        return _back(request, place, form)

    def _resume(self, request: Request, place: Place, form: Form) -> Response:
        switch = SWITCHES.get(form.one("switch"), "")
        timer_id = self._id(request, place, form)
        self._shell.watches.resume(person_of(request), timer_id, switch)
        return _back(request, place, form)

    def _pause(self, request: Request, place: Place, form: Form) -> Response:
        self._shell.watches.pause(person_of(request), self._id(request, place, form))
        return _back(request, place, form)

    def _stop(self, request: Request, place: Place, form: Form) -> Response:
        watches, person = self._shell.watches, person_of(request)
        timer = watches.stop(person, self._id(request, place, form))
        if not timer.stretches:
            watches.remove(person, timer.id)
            raise Refusal(409, "Nothing to log", "The timer ran for less than a second.")
        return RedirectResponse(self._dial(timer, place).logs, 303)

    def _drop(self, request: Request, place: Place, form: Form) -> Response:
        self._shell.watches.remove(person_of(request), self._id(request, place, form))
        return _back(request, place, form)

    def _choice(self, request: Request, place: Place, form: Form, other: Timer) -> Response:
        """Another timer runs: what is to become of it is the person's to say."""
        said = {
            "title": "Another timer runs",
            "patient": request.path_params["patient"],
            "other": self._dial(other, place),
            "again": request.url.path,
            "id": form.one("timer"),
            "back": _place_back(request, place, form),
        }
        return self._shell.page(request, "timer_choice.html", place, 409, None, **said)

    def _dial(self, timer: Timer, place: Place) -> Dial:
        now_us = self._shell.watches.now_us
        return Dial(timer, seconds(timer, now_us), 0, place.current)


def _back(request: Request, place: Place, form: Form) -> Response:
    return RedirectResponse(_place_back(request, place, form), 303)


def _place_back(request: Request, place: Place, form: Form) -> str:
    """Where the person was, a place of ours; else the page of the patient."""
    there = place_of(form.one("back")) if form.one("back") else "/"
    usual = address(place.practice, request.path_params["patient"], place.month)
    return usual if there == "/" or there.startswith("/timer") else there
