"""One projection as background work: follows the log, wakes when it moves, waits out outages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Final, TypeVar

from projections.ports import PositionPassed, Store
from services.doors.backoff import Backoff
from services.projecting.following import Projection, live_generation, step

log = logging.getLogger("caretally.projecting")

EVENTS_MAX: Final = 500
"""Events in one transaction: what a crash makes it fold again."""

WAIT_SECONDS: Final = 0.5
"""The longest wait for the log to move; also how soon a stop is noticed when idle."""

REST_SECONDS: Final = 0.2
"""Once it has caught up: what comes meanwhile is folded at one go, and patients' own alerts, which
the same process decides, come first."""

STOP_SECONDS: Final = 2.5

Result = TypeVar("Result")


class Projector:
    """Keeps the live generation of one projection up with the log."""

    def __init__(self, store: Store, projection: Projection) -> None:
        self.name = f"projection:{projection.name}"
        self._store = store
        self._projection = projection
        self._outage = ""
        self._thread = ThreadPoolExecutor(1, projection.name)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to follow the log, in the background; returns at once."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Finish the batch in hand and end. Idempotent."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            self._task.cancel()
            self._task = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    def ready(self) -> tuple[bool, str]:
        """Whether it follows the log, and what stands in the way if not."""
        return not self._outage, self._outage and f"held back by {self._outage}"

    async def _run(self) -> None:
        backoff = Backoff(first=0.1)
        while not self._stopping.is_set():
            try:
                count = await self._turn()
                if 0 < count < EVENTS_MAX:
                    await self._rest(REST_SECONDS)
                elif not count:
                    head = await self._call(self._store.head)
                    if not await self._turn():
                        await self._call(partial(self._store.wait, head, WAIT_SECONDS))
                backoff.reset()
                self._outage = ""
            except Exception as error:
                self._note(error)
                await self._rest(backoff.delay())

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _turn(self) -> int:
        """Fold the next events; how many there were."""
        try:
            return await self._call(self._step)
        except PositionPassed:
            return 1  # another process, or a rebuild's switch, was there first: look again

    def _step(self) -> int:
        generation = live_generation(self._store, self._projection)
        return step(self._store, self._projection, generation, EVENTS_MAX)

    def _note(self, error: Exception) -> None:
        outage = type(error).__name__
        if outage != self._outage:
            log.warning("%s waits: %s", self.name, outage)
        self._outage = outage

    async def _call(self, work: Callable[[], Result]) -> Result:
        """The store's calls block: they get a thread of their own."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
