"""Streams to many readers: one task watches the log for all of them, blocking calls in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, TypeVar

from projections.ports import Store

WAIT_SECONDS: Final = 0.5
READERS_MAX: Final = 500
THREADS: Final = 4

Result = TypeVar("Result")


class LogWatch:
    """Wakes readers when what they follow moves. Begins with the first reader, rests after the
    last. All of it belongs to one event loop."""

    def __init__(self, store: Store, place: Callable[[], int], name: str) -> None:
        """`place` is how far what is followed has come; it blocks, and is asked in a thread."""
        self.ended = False
        self._store, self._place, self._name = store, place, name
        self._threads = ThreadPoolExecutor(THREADS, name)
        self._readers = 0
        self._moved = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        """Whether nobody more is served: too many readers, or the service ends."""
        return self.ended or self._readers >= READERS_MAX

    @contextmanager
    def reading(self) -> Iterator[None]:
        """While a reader is served."""
        self._readers += 1
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name=self._name)
        try:
            yield
        finally:
            self._readers -= 1
            if self._readers == 0 and self._watching is not None:
                self._watching.cancel()
                self._watching = None

    @property
    def next_move(self) -> asyncio.Event:
        """Set once the place moves. To be taken before one reads, so that no move is missed."""
        return self._moved

    async def moves(self, next_move: asyncio.Event, seconds: float) -> bool:
        """Wait for the move; False when the time is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(next_move.wait(), seconds)
        return next_move.is_set()

    async def call(self, work: Callable[[], Result]) -> Result:
        """Do what blocks, in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def stop(self) -> None:
        """End all readers, so that the server can. Idempotent."""
        self.ended = True
        self._moved.set()
        if self._watching is not None:
            self._watching.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _watch(self) -> None:
        last = -1
        while not self.ended:
            try:
                head = await self.call(self._store.head)
                found = await self.call(self._place)
                if found != last:
                    last, moved, self._moved = found, self._moved, asyncio.Event()
                    moved.set()
                await self.call(partial(self._store.wait, head, WAIT_SECONDS))
            except Exception:
                # The store is out: readers find it out themselves and come back.
                await asyncio.sleep(WAIT_SECONDS)
