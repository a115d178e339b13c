"""Background work that is done again and again: the loop that all such work shares.

It waits out every outage, tells of one once, and ends between two transactions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final, TypeVar

from services.doors.backoff import Backoff

STOP_SECONDS: Final = 2.5
"""How long a stop waits for the work in hand."""

Result = TypeVar("Result")


class Worker:
    """Does its `turn` for ever. A `services.serve.background.Background`."""

    def __init__(
        self, name: str, log: logging.Logger, fails: str, retry_seconds: float = 0.5
    ) -> None:
        """`fails` says in the log what does not happen during an outage; `retry_seconds` is how
        soon it is tried again at first."""
        self.name = name
        self.outage = ""
        """What holds it back; empty when nothing does."""
        self._log, self._fails = log, fails
        self._backoff = Backoff(first=retry_seconds)
        self._thread = ThreadPoolExecutor(1, name)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def turn(self) -> float:
        """Do what there is to do; the seconds to rest before the next turn. Raises whatever an
        outage raises; the next turn goes on from there."""
        raise NotImplementedError

    def fault_of(self, error: Exception) -> str:
        """What to tell of a fault: by default its class, for its words may be about a patient."""
        return type(error).__name__

    @property
    def stopping(self) -> bool:
        """Whether a stop was asked for. May be asked from any thread."""
        return self._stopping.is_set()

    async def start(self) -> None:
        """Begin, in the background; returns at once."""
        self._task = asyncio.create_task(self._run(), name=self.name)

    async def stop(self) -> None:
        """Finish the work in hand, if that is soon, and end. Idempotent."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    def ready(self) -> tuple[bool, str]:
        """Whether it does its work, and what stands in the way if not."""
        return not self.outage, self.outage and f"held back by {self.outage}"

    async def call(self, work: Callable[[], Result]) -> Result:
        """Do what blocks: the store's calls get a thread of their own."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def rest(self, seconds: float) -> None:
        """Wait so long, or until a stop is asked for."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _run(self) -> None:
        while not self.stopping:
            try:
                delay = await self.turn()
                self._backoff.reset()
                self.outage = ""
            except Exception as error:
                self._note(self.fault_of(error))
                delay = self._backoff.delay()
            if delay:
                await self.rest(delay)

    def _note(self, outage: str) -> None:
        if outage != self.outage:
            self._log.warning("%s: %s", self._fails, outage)
        self.outage = outage
