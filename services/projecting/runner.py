"""One projection as background work: follows the log, wakes when it moves, waits out outages."""

from __future__ import annotations

import logging
from functools import partial
from typing import Final

from projections.ports import PositionPassed, Store
from services.projecting.following import Projection, live_generation, step
from services.serve.worker import Worker

log = logging.getLogger("caretally.projecting")

EVENTS_MAX: Final = 500
"""Events in one transaction: what a crash makes it fold again."""

WAIT_SECONDS: Final = 0.5
"""The longest wait for the log to move; also how soon a stop is noticed when idle."""

REST_SECONDS: Final = 0.2
"""Once it has caught up: what comes meanwhile is folded at one go, and patients' own alerts, which
the same process decides, come first."""


class Projector(Worker):
    """Keeps the live generation of one projection up with the log."""

    def __init__(self, store: Store, projection: Projection) -> None:
        name = f"projection:{projection.name}"
        super().__init__(name, log, f"{name} waits", retry_seconds=0.1)
        self._store = store
        self._projection = projection

    async def turn(self) -> float:
        count = await self._turn()
        if not count:
            head = await self.call(self._store.head)
            if not await self._turn():
                await self.call(partial(self._store.wait, head, WAIT_SECONDS))
        return REST_SECONDS if 0 < count < EVENTS_MAX else 0.0

    async def _turn(self) -> int:
        """Fold the next events; how many there were."""
        try:
            return await self.call(self._step)
        except PositionPassed:
            return 1  # another process, or a rebuild's switch, was there first: look again

    def _step(self) -> int:
        generation = live_generation(self._store, self._projection)
        return step(self._store, self._projection, generation, EVENTS_MAX)
