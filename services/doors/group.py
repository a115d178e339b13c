"""Group commit: requests that arrive while a transaction runs share the next one."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from domain.rejections import Rejection
from services.ingest import Delivery, Ingest

GROUP_DELIVERIES: Final = 1_000
"""A transaction takes whole requests until it has this many deliveries."""

WAITING_DELIVERIES_MAX: Final = 20_000
"""Beyond this the door is overloaded and says so, before memory is."""

_log = logging.getLogger(__name__)

Results = list[Rejection | None]


class Unavailable(Exception):
    """Nothing of the request was taken: the store is down, or too much is waiting."""


class GroupCommit:
    """The queue in front of an ingest core that must be called by one thread at a time."""

    def __init__(self, ingest: Ingest) -> None:
        self._ingest = ingest
        self._thread = ThreadPoolExecutor(1, "ingest-http")
        self._waiting: deque[tuple[Sequence[Delivery], asyncio.Future[Results]]] = deque()
        self._waiting_deliveries = 0
        self._runner: asyncio.Task[None] | None = None

    async def take(self, deliveries: Sequence[Delivery]) -> Results:
        """What became of each delivery, once that is durable. Raises `Unavailable`.

        A caller that goes away does not take its deliveries back.
        """
        if self._waiting_deliveries + len(deliveries) > WAITING_DELIVERIES_MAX:
            raise Unavailable("too many events are waiting")
        answer: asyncio.Future[Results] = asyncio.get_running_loop().create_future()
        self._waiting.append((deliveries, answer))
        self._waiting_deliveries += len(deliveries)
        if self._runner is None:
            self._runner = asyncio.create_task(self._run())
        return await asyncio.shield(answer)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._commit(self._next_group())
        finally:
            self._runner = None

    def _next_group(self) -> list[tuple[Sequence[Delivery], asyncio.Future[Results]]]:
        group = [self._waiting.popleft()]
        size = len(group[0][0])
        while self._waiting and size + len(self._waiting[0][0]) <= GROUP_DELIVERIES:
            group.append(self._waiting.popleft())
            size += len(group[-1][0])
        self._waiting_deliveries -= size
        return group

    async def _commit(
        self, group: Sequence[tuple[Sequence[Delivery], asyncio.Future[Results]]]
    ) -> None:
        together = [delivery for deliveries, _ in group for delivery in deliveries]
        loop = asyncio.get_running_loop()
        try:
            outcome = await loop.run_in_executor(self._thread, self._ingest.take, together)
        except Exception as error:
            # The message may quote rows, and rows are about patients: only its kind is logged.
            _log.error("a transaction of %d events failed: %s", len(together), type(error).__name__)
            for _, answer in group:
                answer.set_exception(Unavailable("the store did not take the events"))
            return
        results = iter(outcome.results)
        for deliveries, answer in group:
            answer.set_result([next(results) for _ in deliveries])
