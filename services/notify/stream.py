"""`GET /alerts/stream`: alert transitions as server-sent events.

An event's id is the transition's position in the log, so a reader that comes back with
`Last-Event-ID` gets exactly what it has not had, wherever it was cut off; the alert's own id is in
the data. A reader without an id gets what comes from now on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from domain.alerts import AlertType
from projections.deliveries import Deliveries
from projections.ports import Store, TransitionRow
from services.access import Right, needs
from services.notify.deliverable import deliverable, message

log = logging.getLogger("caretally.stream")

PATH: Final = "/alerts/stream"
PAGE_MAX: Final = 200
READERS_MAX: Final = 500
HEARTBEAT_SECONDS: Final = 15.0
WAIT_SECONDS: Final = 0.5
RETRY_MS: Final = 2000
"""After how long a browser comes back."""

Noted = Callable[[Request, dict[str, str | None]], None]
"""Takes a request for patients' data and its filter; blocks until the read is written down."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which transitions a reader asked for; empty sets let everything through."""

    practices: frozenset[str]
    types: frozenset[str]

    def filter(self) -> dict[str, str | None]:
        """The same for the access log: None stands for no filter."""
        lists = (("practice", self.practices), ("type", self.types))
        return {name: ",".join(sorted(found)) or None for name, found in lists}

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
        self._threads = ThreadPoolExecutor(4, "stream")
        self._readers = 0
        self._ended = False
        self._moved = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def routes(self) -> list[Route]:
        """The stream's route; whoever composes the application guards it as its other routes."""
        return [Route(PATH, self._answer, methods=["GET"])]

    async def start(self) -> None:
        """Nothing begins before the first reader."""

    def ready(self) -> tuple[bool, str]:
        """Whether readers are served."""
        return not self._ended, "ended" if self._ended else ""

    async def stop(self) -> None:
        """End all streams, so that the server can; readers come back with their last id."""
        self._ended = True
        self._moved.set()
        if self._watching is not None:
            self._watching.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    @needs(Right.SUBSCRIBE)
    async def _answer(self, request: Request) -> Response:
        if self._ended or self._readers >= READERS_MAX:
            return _problem(503, "There are too many readers, or the service ends; come back.")
        try:
            wanted, after = _wanted(request), await self._place(request)
            await self._call(partial(self._noted, request, wanted.filter()))
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
        last = await self._call(self._ledger.last_transition)
        text = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        if not text:
            return last
        if not (text.isascii() and text.isdigit()) or len(text) > 18:
            raise BadRequest(f"Last-Event-ID: expected an event id of ours; found {text[:40]!r}.")
        if int(text) > last:
            raise BadRequest(f"Last-Event-ID: expected at most {last}; found {text}.")
        return int(text)

    async def _events(self, wanted: Wanted, after: int) -> AsyncIterator[bytes]:
        self._readers += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="alert-stream")
        try:
            yield b"retry: %d\n\n" % RETRY_MS
            while not self._ended:
                moved = self._moved
                page = await self._call(partial(deliverable, self._store, after, PAGE_MAX))
                if page.through == after:
                    if not await self._move(moved):
                        yield b": \n\n"
                    continue
                after = page.through
                if sent := b"".join(event(row) for row in page.rows if wanted.wants(row)):
                    yield sent
        except Exception as error:
            # The reader comes back with its last id, and finds out then whether the store answers.
            log.warning("a stream ends: %s", type(error).__name__)
        finally:
            self._readers -= 1
            if self._readers == 0 and self._watching is not None:
                self._watching.cancel()
                self._watching = None

    async def _move(self, moved: asyncio.Event) -> bool:
        """Wait for the log to move; False when it is time to show that we are here."""
        with suppress(TimeoutError):
            await asyncio.wait_for(moved.wait(), self._heartbeat_seconds)
        return moved.is_set()

    async def _watch(self) -> None:
        last = -1
        while not self._ended:
            try:
                head = await self._call(self._store.head)
                found = await self._call(self._ledger.last_transition)
                if found != last:
                    last, moved, self._moved = found, self._moved, asyncio.Event()
                    moved.set()
                await self._call(partial(self._store.wait, head, WAIT_SECONDS))
            except Exception:
                # The store is out: readers find it out themselves and come back.
                await asyncio.sleep(WAIT_SECONDS)

    async def _call(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


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
    body = {"title": title, "status": status, "detail": detail}
    headers = {"retry-after": "5"} if status == 503 else {}
    return Response(msgspec.json.encode(body), status, headers, "application/problem+json")
