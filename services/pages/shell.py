"""What all pages have around them: who may look, the frame, the way to the other pages.

A page is an endpoint that is given the request and its `Place`; the shell has found the principal,
has checked the right and the practice, and has written the read down, before it is called.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import NoMatchFound, Route

from infra.eventstore.timers import open_timers
from services.access.principal import Principal, Right, person_of, principal_of
from services.access.routes import needs
from services.bootstrap import Parts
from services.outage import is_outage
from services.pages.forms import BadForm, Form, form_of
from services.pages.frame import environment, frame, path_of
from services.pages.place import Place, Places, Refusal
from services.pages.timer.bar import Bar, bar_of
from services.pages.timer.watches import Watches
from services.serve.reads import Reads

log = logging.getLogger("caretally.pages")

READ_NAMES: Final = ("practice", "patient", "month")
"""By these the access log knows what was read; of a page its path alone says it."""

Endpoint = Callable[[Request, Place], Response]
Acting = Callable[[Request, Place, Form], Response]
Streaming = Callable[[Request, Place], Awaitable[Response]]
Counting = Callable[[Place], int]
"""How many things wait at a place."""
Ways = Sequence[tuple[str, str, bool, Callable[[], int]]]
"""Label, address, whether we are there, and how many things wait there."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A way through the head of every page; shown where its route exists and may be taken.

    The route's path is `/<name>/{practice}/{month}`, and `/<name>` leads to it.
    """

    label: str
    name: str
    right: Right


SLOTS: Final = (
    Slot("Board", "board", Right.READ),
    Slot("Close", "close", Right.CLOSE),
    Slot("Queue", "queue", Right.QUEUE),
    Slot("Enter", "enter", Right.ENTER),
)


class Shell:
    """Makes routes of endpoints, and pages of templates."""

    def __init__(self, parts: Parts, reads: Reads, counts: Mapping[str, Counting]) -> None:
        """`counts` are asked for by the names of slots, for pages that show the head."""
        self.parts, self.reads = parts, reads
        self._counts = counts
        self.places = Places(parts)
        self.watches = Watches(open_timers(parts.store), parts.clock)
        self._templates = environment()

    def route(self, path: str, name: str, right: Right, endpoint: Endpoint) -> Route:
        """A page's route. `{practice}`, `{month}` and `{patient}` of its path mean what they say;
        all of its parameters go to the access log."""

        @needs(right)
        def answer(request: Request) -> Response:
            return self._guarded(request, right, endpoint)

        return Route(path, answer, name=name, methods=["GET"])

    def stream(self, path: str, name: str, right: Right, endpoint: Streaming) -> Route:
        """The same for an endpoint that answers for as long as somebody listens."""

        @needs(right)
        async def answer(request: Request) -> Response:
            try:
                place = await run_in_threadpool(self._placed, request, right)
            except Refusal as refusal:
                return Response(refusal.detail, refusal.status, media_type="text/plain")
            return await endpoint(request, place)

        return Route(path, answer, name=name, methods=["GET"])

    def act(self, path: str, name: str, right: Right, endpoint: Acting) -> Route:
        """A route that people send a form to. The endpoint has it read; that it came from a page of
        ours is for the front to see."""

        @needs(right)
        async def answer(request: Request) -> Response:
            try:
                with outages_refused():
                    place = await run_in_threadpool(self._placed, request, right)
                    form = await form_of(request)
                    return await run_in_threadpool(endpoint, request, place, form)
            except BadForm as error:
                detail = f"The form was not taken: {error}."
                return self.refused(request, Refusal(400, "Not a form of ours", detail))
            except Refusal as refusal:
                return self.refused(request, refusal)

        return Route(path, answer, name=name, methods=["POST"])

    def entry(self, path: str, name: str, right: Right) -> Route:
        """`/board` and its like: leads to the page `name` of the practice and month in the query,
        and otherwise of the first practice and the running month."""

        @needs(right)
        def answer(request: Request) -> Response:
            try:
                principal = _allowed(request, right)
                asked = request.query_params
                place = self.places.of(
                    principal, asked.get("practice") or None, asked.get("month") or None
                )
                if not place.practice:
                    return self.page(request, "empty.html", place, title="Nothing here yet")
                to = request.url_for(name, practice=place.practice, month=place.month)
                return RedirectResponse(to.path, 303)
            except Refusal as refusal:
                return self.refused(request, refusal)

        return Route(path, answer, name=f"{name}-entry", methods=["GET"])

    def page(
        self,
        request: Request,
        template: str,
        place: Place,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **said: Any,
    ) -> Response:
        """A page or a fragment. Templates know `place`, `slots`, `look`, `path`, `timer`, `way`
        (the address of a route by its name, None without such a route), and what is `said`; those
        that extend `base.html` want a `title`."""
        around = {
            **frame(request, path_of(request)),
            "place": place,
            "slots": self._slots(request, place),
            "timer": self._timer(request, place),
            "chooser": "board",
            "way": _ways(request),
        }
        text = self._templates.get_template(template).render({**around, **said})
        return HTMLResponse(text, status, headers)

    def refused(self, request: Request, refusal: Refusal) -> Response:
        """A page that says what was wrong."""
        said = {"title": refusal.title, "detail": refusal.detail}
        around = frame(request, path_of(request))
        text = self._templates.get_template("refused.html").render({**around, **said})
        return HTMLResponse(text, refusal.status)

    def _guarded(self, request: Request, right: Right, endpoint: Endpoint) -> Response:
        try:
            with outages_refused():
                return endpoint(request, self._placed(request, right))
        except Refusal as refusal:
            return self.refused(request, refusal)

    def _placed(self, request: Request, right: Right) -> Place:
        """The place, once the read is written down."""
        params = request.path_params
        principal = _allowed(request, right)
        place = self.places.of(principal, params.get("practice"), params.get("month"))
        asked = request.query_params
        said = {name: ",".join(asked.getlist(name)) for name in asked if name not in READ_NAMES}
        self.reads.note(request, {**said, **params})
        return place

    def bar(self, request: Request, place: Place) -> Bar:
        """The timers of whoever asks."""
        return bar_of(self.watches, person_of(request), place.practices, place.current)

    def _timer(self, request: Request, place: Place) -> Callable[[], Bar] | None:
        """Makes the bar where a page has room for it: a fragment asks the store for nothing."""
        may = place.practice and place.principal.may(Right.ENTER)
        return (lambda: self.bar(request, place)) if may else None

    def _slots(self, request: Request, place: Place) -> Ways:
        if not place.practice:
            return []
        here, way = request.url.path, _ways(request)
        found = []
        for slot in SLOTS:
            to = way(slot.name, practice=place.practice, month=place.month)
            if to and place.principal.may(slot.right):
                there = here == to or here.startswith(f"{to}/")
                found.append((slot.label, to, there, self._counter(slot, place)))
        return found

    def _counter(self, slot: Slot, place: Place) -> Callable[[], int]:
        count = self._counts.get(slot.name)
        return lambda: count(place) if count else 0


@contextmanager
def outages_refused() -> Iterator[None]:
    """An outage of the store is told in a page. Its own words may quote rows, and rows are about
    patients: only its kind is logged."""
    try:
        yield
    except Exception as error:
        if not is_outage(error):
            raise
        log.warning("a page cannot be answered: %s", type(error).__name__)
        detail = "Try again in a moment. A form that is sent again counts once."
        raise Refusal(503, "The store does not answer", detail) from None


def _ways(request: Request) -> Callable[..., str | None]:
    def way(name: str, **params: str) -> str | None:
        try:
            return request.url_for(name, **params).path
        except NoMatchFound:
            return None

    return way


def _allowed(request: Request, right: Right) -> Principal:
    principal = principal_of(request)
    if not principal.may(right):
        detail = f"Your account may not do this; it needs the right {right.value!r}."
        raise Refusal(403, "Not allowed", detail)
    return principal
