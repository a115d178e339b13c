"""What all sinks share: a loop that delivers what is due, waits, and outlives every outage."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from projections.ports import Store
from services.doors.backoff import Backoff

log = logging.getLogger("caretally.notify")

WAIT_SECONDS = 0.5
"""The longest wait for the log to move; also how soon a stop is noticed when idle."""

STOP_SECONDS = 2.5
"""How long a stop goes on delivering; what is left then is delivered after the next start."""

CLOSE_SECONDS = 0.5
"""How long letting go of connections may take after that."""

Result = TypeVar("Result")


class Unreachable(Exception):
    """The sink did not take what it was sent; the message says why and holds no secret."""


class SinkReactor(ABC):
    """A sink that is served from the stored transitions, by a forward-only ledger."""

    def __init__(self, name: str, store: Store, threads: int = 1) -> None:
        self.name = name
        self.sent = 0
        """Deliveries acknowledged since the start."""
        self.outage = ""
        """What holds delivery back, in a word; empty when nothing does."""
        self._store = store
        self._threads = ThreadPoolExecutor(threads, name)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to deliver, in the background; returns at once."""
        self._task = asyncio.create_task(self.run(), name=self.name)

    async def stop(self) -> None:
        """Deliver what is due, if the sink takes it in time, and end. Idempotent."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task], timeout=CLOSE_SECONDS)
            self._task = None
        self._threads.shutdown(wait=False, cancel_futures=True)

    def ready(self) -> tuple[bool, str]:
        """Whether it delivers, and what stands in the way if not."""
        if self._task is None or self._task.done():
            return False, "it does not run"
        return (False, f"held back by {self.outage}") if self.outage else (True, "")

    async def run(self) -> None:
        """Deliver until stopped or cancelled; a fault is waited out."""
        backoff = Backoff(first=0.1)
        while True:
            try:
                await self._serve(backoff)
                return
            except Exception as error:
                self._note(error)
                if self._stopping.is_set():
                    return
                await self._sleep(backoff.delay())

    def _note(self, error: Exception) -> None:
        said = isinstance(error, Unreachable)
        outage = str(error) if said else type(error).__name__
        if outage != self.outage:
            log.warning("%s: alerts wait to be delivered: %s", self.name, outage)
        self.outage = outage

    async def _serve(self, backoff: Backoff) -> None:
        await self._open()
        try:
            while True:
                head = await self._call(self._store.head)
                more = await self._turn()
                backoff.reset()
                self.outage = ""
                if self._stopping.is_set() and not more:
                    return
                if not more:
                    await self._call(partial(self._store.wait, head, WAIT_SECONDS))
        finally:
            await self._close()

    async def _open(self) -> None:  # noqa: B027 (not every sink has something to open)
        """Get ready to deliver, anew after every fault."""

    async def _close(self) -> None:  # noqa: B027
        """Let go of what `_open` took."""

    @abstractmethod
    async def _turn(self) -> bool:
        """Deliver what is due; True when more is due at once. Raises what holds it back."""

    async def _sleep(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _call(self, work: Callable[[], Result]) -> Result:
        """The store's calls block: they get threads of their own."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
