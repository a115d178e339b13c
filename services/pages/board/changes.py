"""`…/changes`: which rows of a board have changed, as server-sent events.

An event's id is a position of the log, so a browser that comes back with `Last-Event-ID` is told
of exactly what it has not seen, whichever process it finds. The events name patients and hold
nothing of them; what a row is now is asked for. `rows` holds a list of ids; `everything` stands
for too many to list, or for a new day; `anew` for a log that does not hold the id.
"""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from infra.codec import split_stream_id
from projections.ports import Store
from services.pages.place import Place
from services.serve.watching import LogWatch

log = logging.getLogger("caretally.pages")

EVENTS_AT_ONCE: Final = 2_000
PATIENTS_MAX: Final = 200
"""Ids in one event; beyond, all rows are asked for."""
PAGES_MAX: Final = 5
"""Pages of the log that are read for one event: who comes back later asks for all rows."""
HEARTBEAT_SECONDS: Final = 15.0
LIFE_SECONDS: Final = 900.0
"""After it a stream ends and its browser comes back at once: so whoever has been signed out, or has
lost the right, hears no more."""
RETRY_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Change:
    """Patients touched by the events up to a position; None for all of them."""

    through: int
    patients: tuple[str, ...] | None


class Changes:
    """Serves all boards that are open in browsers."""

    def __init__(
        self,
        store: Store,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        life_seconds: float = LIFE_SECONDS,
    ) -> None:
        self._store = store
        self._heartbeat_seconds, self._life_seconds = heartbeat_seconds, life_seconds
        self._watch = LogWatch(store, store.head, "board-changes")

    async def stop(self) -> None:
        """End all streams, so that the server can; browsers come back by themselves."""
        await self._watch.stop()

    async def answer(self, request: Request, place: Place, today: Callable[[], date]) -> Response:
        """The stream of a practice; `today` is asked now and then, and a new day told."""
        if self._watch.full:
            return Response(status_code=503, headers={"retry-after": "2"})
        said = request.headers.get("last-event-id") or request.query_params.get("after", "")
        after = int(said) if said.isascii() and said.isdigit() and len(said) <= 18 else 0
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        events = self._events(place, after, today)
        return StreamingResponse(events, headers=headers, media_type="text/event-stream")

    async def _events(
        self, place: Place, after: int, today: Callable[[], date]
    ) -> AsyncIterator[bytes]:
        with self._watch.reading():
            yield b"retry: %d\n\n" % RETRY_MS
            try:
                if after > await self._watch.call(self._store.head):
                    yield b"event: anew\ndata: \n\n"
                    return
                async for sent in self._told(place, after, today):
                    yield sent
            except Exception as error:
                # The browser comes back with its last id, and finds out whether the store answers.
                log.warning("a stream ends: %s", type(error).__name__)

    async def _told(
        self, place: Place, after: int, today: Callable[[], date]
    ) -> AsyncIterator[bytes]:
        day, ends = place.today, time.monotonic() + self._life_seconds
        while not self._watch.ended and time.monotonic() < ends:
            move = self._watch.next_move
            change = await self._watch.call(partial(changed, self._store, place.practice, after))
            now = await self._watch.call(today)
            if now != day:
                day, change = now, Change(change.through, None)
            elif change.through == after:
                if not await self._watch.moves(move, self._heartbeat_seconds):
                    yield b": \n\n"
                continue
            after = change.through
            yield event(change)


def changed(store: Store, practice: str, after: int) -> Change:
    """Which of a practice's patients the events beyond a position touch."""
    found: dict[str, None] = {}
    for _ in range(PAGES_MAX):
        page = store.log(after, EVENTS_AT_ONCE)
        if not page:
            return Change(after, tuple(found) if len(found) <= PATIENTS_MAX else None)
        after = page[-1].position
        for stored in page:
            owner, patient = split_stream_id(stored.stream_id)
            if owner == practice:
                found[patient] = None
    return Change(store.head(), None)


def event(change: Change) -> bytes:
    """One server-sent event. Nobody of the practice touched: only the id moves."""
    if change.patients is None:
        return b"id: %d\nevent: everything\ndata: \n\n" % change.through
    if not change.patients:
        return b"id: %d\n\n" % change.through
    data = msgspec.json.encode(change.patients)
    return b"id: %d\nevent: rows\ndata: %b\n\n" % (change.through, data)
