"""The pages of the queue, and what a person does there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from domain.rejections import Rejection
from projections.letters import ActKind, DeadLetter, LetterMoved
from projections.ports import ReadModelsMoved
from services.access.principal import Right
from services.ingest import Busy, Ingest
from services.pages.forms import Form
from services.pages.ids import part
from services.pages.place import Place, Refusal
from services.pages.queue.acting import Hand, NotTaken, correct, put_aside, replay
from services.pages.queue.advice import ADVICE
from services.pages.queue.counting import Counting
from services.pages.queue.heaps import Waiting
from services.pages.queue.letter import letter_at, sheet_of
from services.pages.queue.listing import asked_of, listing_of, query_of
from services.pages.shell import Shell
from services.views.conflicts import Conflicts, conflicts_of

NAME: Final = "queue"
PATH: Final = "/queue/{practice:id}/{month}"
LETTER: Final = PATH + "/letters/{letter}"
REASON_CHARS_MAX: Final = 300
DONE: Final[Mapping[str, str]] = {
    "corrected": "The correction was taken.",
    "replayed": "The letter was taken.",
    "set-aside": "Set aside. It is found under what is done.",
    "taken-up": "It waits again.",
    "already": "Nothing more was done: somebody was faster, or this was sent twice.",
}

Doing = Callable[[DeadLetter, Hand], None]


@dataclass(frozen=True, slots=True)
class Answered:
    """What is said about the form that was sent: what the person had put in, what is wrong with
    the word why, and why the text, or the letter as it is, was not taken (`done` says which)."""

    text: str | None = None
    reason: str = ""
    why: str = ""
    refusal: Rejection | None = None
    done: str = ""


class QueuePages:
    """The list, its letters and what is done with them, through the same core as every event."""

    def __init__(self, shell: Shell, ingest: Ingest, waiting: Waiting, counting: Counting) -> None:
        self._shell, self._ingest = shell, ingest
        self._waiting, self._counting = waiting, counting

    def routes(self) -> list[Route]:
        shell, right = self._shell, Right.QUEUE
        return [
            shell.entry("/queue", NAME, right),
            shell.route(PATH, NAME, right, self._list),
            shell.route(LETTER, "queue-letter", right, self._letter),
            shell.route(f"{LETTER}/raw", "queue-raw", right, self._raw),
            shell.act(f"{LETTER}/correct", "queue-correct", right, self._correct),
            shell.act(f"{LETTER}/replay", "queue-replay", right, self._replay),
            shell.act(f"{LETTER}/set-aside", "queue-set-aside", right, self._set_aside),
            shell.act(f"{LETTER}/take-up", "queue-take-up", right, self._take_up),
        ]

    def _list(self, request: Request, place: Place) -> Response:
        asked = asked_of(request.query_params)
        said: dict[str, Any] = {
            "title": "Queue",
            "here": _here(place),
            "asked": asked,
            "listing": listing_of(self._shell.parts, self._waiting, place, asked),
            "conflicts": self._conflicts(place) if asked.has_conflicts else None,
            "zone": self._zone(place),
            "advice": ADVICE,
            "query": lambda **changed: query_of(asked, **changed),
        }
        return self._shell.page(request, "queue.html", place, chooser=NAME, **said)

    def _conflicts(self, place: Place) -> Conflicts:
        sees = place.principal.sees
        found = conflicts_of(self._shell.parts, place.practice, place.month, sees)
        self._counting.note(place, found.count)
        return found

    def _zone(self, place: Place) -> str:
        """The clock by which conflicts are told: that of all patients, where they share one."""
        zones = set(self._shell.places.zones(place.practice).get(place.practice, []))
        default = self._shell.parts.settings.policy_of(place.practice).default_timezone
        return zones.pop() if len(zones) == 1 else default

    def _letter(self, request: Request, place: Place) -> Response:
        letter = letter_at(self._shell.parts, place, request.path_params["letter"])
        return self._shown(request, place, letter, Answered(), 200)

    def _raw(self, request: Request, place: Place) -> Response:
        """The original, byte by byte; a browser keeps it and does not look into it."""
        letter = letter_at(self._shell.parts, place, request.path_params["letter"])
        headers = {
            "content-disposition": f'attachment; filename="letter-{letter.id}.bin"',
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        return Response(letter.value or b"", 200, headers, "application/octet-stream")

    def _correct(self, request: Request, place: Place, form: Form) -> Response:
        parts, core = self._shell.parts, self._ingest

        def work(letter: DeadLetter, hand: Hand) -> None:
            correct(parts, core, letter, form.one("text"), hand)

        return self._act("corrected", request, place, form, work)

    def _replay(self, request: Request, place: Place, form: Form) -> Response:
        parts, core = self._shell.parts, self._ingest

        def work(letter: DeadLetter, hand: Hand) -> None:
            replay(parts, core, letter, hand)

        return self._act("replayed", request, place, form, work)

    def _set_aside(self, request: Request, place: Place, form: Form) -> Response:
        return self._put(ActKind.SET_ASIDE, request, place, form)

    def _take_up(self, request: Request, place: Place, form: Form) -> Response:
        return self._put(ActKind.TAKEN_UP, request, place, form)

    def _put(self, kind: ActKind, request: Request, place: Place, form: Form) -> Response:
        def work(letter: DeadLetter, hand: Hand) -> None:
            put_aside(self._shell.parts, letter, kind, hand)

        return self._act(kind.value, request, place, form, work)

    def _act(self, done: str, request: Request, place: Place, form: Form, work: Doing) -> Response:
        """Do it, and lead back to the letter; or say on its page what is wrong with what was sent.
        What was taken meanwhile is left alone."""
        letter = letter_at(self._shell.parts, place, request.path_params["letter"])
        if letter.replayed_at_us is not None:
            return _back(place, letter, "already")
        answered = Answered(form.fields.get("text", [None])[-1], form.one("reason"))
        reason = " ".join(answered.reason.split())
        if not reason or len(reason) > REASON_CHARS_MAX:
            wrong = f"Say why, in 1 to {REASON_CHARS_MAX} characters."
            return self._shown(request, place, letter, replace(answered, why=wrong), 422)
        principal = place.principal
        try:
            work(letter, Hand(principal.name, reason, principal.sees))
        except LetterMoved:
            done = "already"
        except NotTaken as refused:
            return self._refused(request, place, done, replace(answered, refusal=refused.rejection))
        except Busy as busy:
            raise Refusal(503, "Try again", f"Nothing was done: {busy}.") from busy
        except ReadModelsMoved as moved:
            detail = "Nothing was done: this process goes by rules of before, and starts again."
            raise Refusal(503, "Try again", detail) from moved
        if done == ActKind.TAKEN_UP:
            self._waiting.forget()
        else:
            self._waiting.drop(letter.id)
        return _back(place, letter, done)

    def _refused(self, request: Request, place: Place, done: str, answered: Answered) -> Response:
        """The letter as it is now: refused again it may wait for something else."""
        self._waiting.forget()
        letter = letter_at(self._shell.parts, place, request.path_params["letter"])
        return self._shown(request, place, letter, replace(answered, done=done), 422)

    def _shown(
        self, request: Request, place: Place, letter: DeadLetter, answered: Answered, status: int
    ) -> Response:
        sheet = sheet_of(self._shell.parts, place, letter)
        text = sheet.original.text if answered.text is None else answered.text
        said: dict[str, Any] = {
            "title": f"Letter {letter.id}",
            "list": _here(place),
            "here": f"{_here(place)}/letters/{letter.id}",
            "sheet": sheet,
            "answered": answered,
            "advice": ADVICE.get(letter.reason, ""),
            "text": _as_is(text),
            "rows": min(40, max(8, text.count("\n") + 2)),
            "done": DONE.get(request.query_params.get("done", ""), ""),
            "texts": [_as_is(act.text) for act in sheet.acts],
        }
        return self._shell.page(request, "queue_letter.html", place, status, chooser=NAME, **said)


def _as_is(text: str) -> Markup:
    """Text of many lines, which the frame would take for a single one."""
    return escape(text)


def _back(place: Place, letter: DeadLetter, done: str) -> Response:
    return RedirectResponse(f"{_here(place)}/letters/{letter.id}?done={done}", 303)


def _here(place: Place) -> str:
    return f"/queue/{part(place.practice)}/{place.month}"
