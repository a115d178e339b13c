"""Webhooks: every subscriber is served by a lane of its own, so a slow one delays nobody else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial

from infra.clock import Clock
from infra.outbound import Outbound
from projections.deliveries import Deliveries, SubscriberState
from projections.ports import Store
from services.notify.lane import Lane, Room, Waits
from services.notify.reactor import SinkReactor
from services.notify.retries import WAITS_SECONDS, Chance

LIST_SECONDS = 1.0
"""How soon a change made by another process is noticed."""


class Webhooks(SinkReactor):
    """Keeps a lane for each active subscriber and wakes all when there is something to read."""

    def __init__(
        self,
        store: Store,
        ledger: Deliveries,
        clock: Clock,
        allow_private: bool = False,
        waits: Waits = WAITS_SECONDS,
        chance: Chance = random.random,
        rest_seconds: float = 1.0,
        outbound: Callable[[], Outbound] | None = None,
    ) -> None:
        """`waits` are the seconds between attempts, `rest_seconds` how long a failing endpoint is
        left alone at first; `outbound` makes a lane's own client."""
        super().__init__("webhooks", store, threads=4)
        self._room = Room(
            store, ledger, clock, self._threads, waits, chance, rest_seconds, self._taken
        )
        self._outbound = outbound or partial(Outbound, allow_private)
        self._lanes: dict[str, Lane] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._listed = 0.0
        self._seen = -1

    def _taken(self, count: int) -> None:
        self.sent += count

    async def _turn(self) -> bool:
        now = asyncio.get_running_loop().time()
        if now - self._listed >= LIST_SECONDS:
            self._listed = now
            await self._list()
        last = await self._call(self._room.ledger.last_transition)
        if last != self._seen:
            self._seen = last
            for lane in self._lanes.values():
                lane.wake.set()
        return False

    async def _list(self) -> None:
        """Open lanes for new subscribers, close those of others."""
        active = {
            s.id: s
            for s in await self._call(self._room.ledger.subscribers)
            if s.state is SubscriberState.ACTIVE
        }
        for id in [id for id, lane in self._lanes.items() if id not in active or lane.ended]:
            closing = asyncio.create_task(self._lanes.pop(id).close(drain=False))
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        for id, subscriber in active.items():
            if id in self._lanes:
                self._lanes[id].subscriber = subscriber
            else:
                self._lanes[id] = Lane(self._room, subscriber, self._outbound())

    async def _close(self) -> None:
        lanes, self._lanes = self._lanes, {}
        self._listed = 0.0
        closing = [lane.close(drain=True) for lane in lanes.values()]
        await asyncio.gather(*closing, *self._closing)
