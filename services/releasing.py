"""Letters that wait for an identity are put in again once it is there."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from projections.ports import DeadLetter, Store
from projections.translated import Translations
from services.doors.backoff import Backoff
from services.ingest import Delivery, Ingest

log = logging.getLogger("caretally.review")

PAGE_LETTERS = 100
LOOK_SECONDS = 1.0
"""How often it is looked whether something waits no longer."""

QUIET_LOOKS = 30
"""Every so many looks at a log that does not grow, letters are looked for all the same."""


def delivery_of(letter: DeadLetter) -> Delivery:
    """A letter as it first came."""
    return Delivery(letter.value, letter.key, letter.headers, letter.origin, letter.id)


def release(translations: Translations, ingest: Ingest) -> int:
    """Put in again whatever waits no longer; how many letters were taken.

    What is refused again waits for something else from then on, and tells so. Raises whatever an
    outage of the store raises; the next call goes on from there.
    """
    taken, after = 0, 0
    while letters := translations.released(after, PAGE_LETTERS):
        outcome = ingest.take([delivery_of(letter) for letter in letters])
        taken += sum(result is None for result in outcome.results)
        after = letters[-1].id
    return taken


class Releasing:
    """Looks for released letters in the background. Survives outages of the store."""

    def __init__(self, store: Store, translations: Translations, ingest: Ingest) -> None:
        self.name = "review"
        self.outage = ""
        self._store, self._translations, self._ingest = store, translations, ingest
        self._thread = ThreadPoolExecutor(1, self.name)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._head = -1
        self._quiet = 0

    async def start(self) -> None:
        """Begin, in the background; returns at once."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Finish the transaction in hand and end. Idempotent."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task])
            self._task = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    def ready(self) -> tuple[bool, str]:
        """Whether letters are released, and what stands in the way if not."""
        return not self.outage, self.outage and f"held back by {self.outage}"

    async def _run(self) -> None:
        backoff = Backoff(first=0.5)
        while not self._stopping.is_set():
            delay = LOOK_SECONDS
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, self.look)
                backoff.reset()
                self.outage = ""
            except Exception as error:
                self.outage = type(error).__name__
                log.warning("letters are not released: %s", self.outage)
                delay = backoff.delay()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), delay)

    def look(self) -> None:
        """Release what is there, if the log has grown since the last look, for identities are
        events; and now and then in any case, for a letter may be written just after its link."""
        head = self._store.head()
        self._quiet = self._quiet + 1 if head == self._head else 0
        if self._quiet % QUIET_LOOKS:
            return
        if taken := release(self._translations, self._ingest):
            log.info("%d letters that waited for an identity were taken", taken)
        self._head = head
