"""Every page's routes, in one list."""

from __future__ import annotations

from contextlib import suppress
from threading import Event, Thread
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from services.access import SIGNED_IN, needs, principal_of
from services.bootstrap import Parts
from services.ingest import Ingest
from services.pages import assets, look, patient
from services.pages.board.boards import Boards
from services.pages.board.changes import Changes
from services.pages.board.page import BoardPages
from services.pages.close.page import ClosePages
from services.pages.enter.page import EnterPages
from services.pages.queue.counting import Counting
from services.pages.queue.heaps import Waiting
from services.pages.queue.page import QueuePages
from services.pages.shell import SLOTS, Shell
from services.pages.timer.log_page import TimerLog
from services.pages.timer.page import TimerPages
from services.serve.reads import Reads

READY_SECONDS: Final = 30.0
"""How often boards are made ready: also how soon after midnight those of the new day are."""


class Pages:
    """The pages over some parts, and what lives as long as they are served."""

    def __init__(self, parts: Parts, reads: Reads, ingest: Ingest) -> None:
        """Each read is written down by `reads`; what people do goes through `ingest`."""
        self._ingest = ingest
        self._waiting = Waiting(parts)
        self._counting = Counting(parts, self._waiting)
        self._shell = Shell(parts, reads, {"queue": self._counting.count})
        self._boards = Boards(parts)
        self._changes = Changes(parts.store)
        self._ended = Event()

    def routes(self) -> list[BaseRoute]:
        """Every page, and the files beside them."""
        return [
            Route("/", _home, methods=["GET"]),
            *assets.routes(),
            *look.routes(),
            *patient.routes(self._shell),
            *ClosePages(self._shell, self._ingest).routes(),
            *TimerPages(self._shell).routes(),
            *TimerLog(self._shell, self._ingest).routes(),
            *EnterPages(self._shell, self._ingest).routes(),
            *QueuePages(self._shell, self._ingest, self._waiting, self._counting).routes(),
            *BoardPages(self._shell, self._boards, self._changes).routes(),
        ]

    def start(self) -> None:
        """Make the running month's boards and count the queue before anybody asks, and keep the
        boards up; returns at once."""
        Thread(target=self._keep_ready, name="boards", daemon=True).start()

    def keep_boards(self) -> None:
        """Keep the boards for processes that start, where much has changed since they were kept."""
        self._boards.keep()

    def _keep_ready(self) -> None:
        self._boards.make_ready(self._shell.places)
        with suppress(Exception):  # an outage is told to whoever looks
            self._waiting.make_ready()
        while not self._ended.wait(READY_SECONDS):
            self._boards.make_ready(self._shell.places)

    async def stop(self) -> None:
        """End all streams, so that the server can. Idempotent."""
        self._ended.set()
        await self._changes.stop()


@needs(SIGNED_IN)
def _home(request: Request) -> Response:
    """To the first page that one may look at; who may none hears it from the board."""
    principal = principal_of(request)
    found = next((slot for slot in SLOTS if principal.may(slot.right)), SLOTS[0])
    return RedirectResponse(f"/{found.name}", 303)
