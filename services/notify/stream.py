"""`GET /alerts/stream`: alert transitions as server-sent events.

An event's id is the transition's position in the log, so a reader that comes back with
`Last-Event-ID` gets exactly what it has not had, wherever it was cut off; the alert's own id is in
the data. A reader without an id gets what comes from now on.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from domain.alerts import AlertType
from projections.deliveries import Deliveries
from projections.ports import Store, TransitionRow
from services.access import Principal, Right, needs, principal_of
from services.notify.deliverable import deliverable, message
from services.problems import problem
from services.serve.watching import LogWatch

log = logging.getLogger("caretally.stream")

PATH: Final = "/alerts/stream"
PAGE_MAX: Final = 200
HEARTBEAT_SECONDS: Final = 15.0
RETRY_MS: Final = 2000
"""After how long a browser comes back."""

Noted = Callable[[Request, dict[str, str | None]], None]
"""Takes a request for patients' data and its filter; blocks until the read is written down."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which transitions a reader asked for; empty sets let everything through."""

    practices: frozenset[str]
    types: frozenset[str]

    def filter(self) -> dict[str, str | None]:
        """The same for the access log: None stands for no filter."""
        lists = (("practice", self.practices), ("type", self.types))
        return {name: ",".join(sorted(found)) or None for name, found in lists}

    def bound_to(self, principal: Principal) -> Wanted | None:
        """The same within the practices that the principal sees; None where that is not all of
        what was asked for, or nothing at all."""
        if principal.practices is None:
            return self
        asked = self.practices or principal.practices
        return replace(self, practices=asked) if asked and asked <= principal.practices else None

    def wants(self, row: TransitionRow) -> bool:
        return (not self.practices or row.practice_id in self.practices) and (
            not self.types or row.state.type in self.types
        )


class BadRequest(ValueError):
    """The request asks for something that cannot be; the message says what was expected."""


class AlertStream:
    """Serves all readers of one process; one task watches the log for all of them."""

    def __init__(
        self,
        store: Store,
        ledger: Deliveries,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        noted: Noted = lambda _request, _wanted: None,
    ) -> None:
        """`noted` writes a read down before anything is sent; where it raises, nothing is."""
        self.name = "alert-stream"
        self._noted = noted
        self._store, self._ledger = store, ledger
        self._heartbeat_seconds = heartbeat_seconds
        self._watch = LogWatch(store, ledger.last_transition, self.name)

    def routes(self) -> list[Route]:
        """The stream's route; whoever composes the application guards it as its other routes."""
        return [Route(PATH, self._answer, methods=["GET"])]

    async def start(self) -> None:
        """Nothing begins before the first reader."""

    def ready(self) -> tuple[bool, str]:
        """Whether readers are served."""
        return not self._watch.ended, "ended" if self._watch.ended else ""

    async def stop(self) -> None:
        """End all streams, so that the server can; readers come back with their last id."""
        await self._watch.stop()

    @needs(Right.SUBSCRIBE)
    async def _answer(self, request: Request) -> Response:
        if self._watch.full:
            return _problem(503, "There are too many readers, or the service ends; come back.")
        try:
            wanted, after = _wanted(request), await self._place(request)
            if (bound := wanted.bound_to(principal_of(request))) is None:
                return _problem(404, "There is no such practice for you here.")
            wanted = bound
            await self._watch.call(partial(self._noted, request, wanted.filter()))
        except BadRequest as error:
            return _problem(400, str(error))
        except Exception as error:
            log.warning("the stream cannot be read: %s", type(error).__name__)
            return _problem(503, "The store does not answer; come back.")
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(
            self._events(wanted, after), headers=headers, media_type="text/event-stream"
        )

    async def _place(self, request: Request) -> int:
        """The position after which the reader goes on."""
        last = await self._watch.call(self._ledger.last_transition)
        text = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        if not text:
            return last
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise BadRequest(f"Last-Event-ID: expected an event id of ours; found {text[:40]!r}.")
        if int(text) > last:
            raise BadRequest(f"Last-Event-ID: expected at most {last}; found {text}.")
        return int(text)

    async def _events(self, wanted: Wanted, after: int) -> AsyncIterator[bytes]:
        with self._watch.reading():
            try:
                async for sent in self._pages(wanted, after):
                    yield sent
            except Exception as error:
                # The reader comes back with its last id, and finds out whether the store answers.
                log.warning("a stream ends: %s", type(error).__name__)

    async def _pages(self, wanted: Wanted, after: int) -> AsyncIterator[bytes]:
        yield b"retry: %d\n\n" % RETRY_MS
        while not self._watch.ended:
            move = self._watch.next_move
            page = await self._watch.call(partial(deliverable, self._store, after, PAGE_MAX))
            if page.through == after:
                if not await self._watch.moves(move, self._heartbeat_seconds):
                    yield b": \n\n"
                continue
            after = page.through
            if sent := b"".join(event(row) for row in page.rows if wanted.wants(row)):
                yield sent


def event(row: TransitionRow) -> bytes:
    """One server-sent event; its data is one line of JSON."""
    return b"id: %d\ndata: %b\n\n" % (row.position, message(row))


def _wanted(request: Request) -> Wanted:
    types = frozenset(request.query_params.getlist("type"))
    known = [type.value for type in AlertType]
    for type in sorted(types):
        if type not in known:
            raise BadRequest(f"type: expected one of {', '.join(known)}; found {type[:40]!r}.")
    return Wanted(frozenset(request.query_params.getlist("practice")), types)


def _problem(status: int, detail: str) -> Response:
    title = "The stream cannot be served" if status == 503 else "The request was refused"
    return problem(status, detail, title, {"retry-after": "5"} if status == 503 else {})
