"""Where each partition is read from: the store says, never Kafka's own committed offset.

A partition is *placed* once its stored position was read and the consumer was sought to the
message after it. Until then it is paused. Whatever goes wrong (a rebalance, an outage, another
owner that was faster) is answered in one way: unplace, and place again from the store.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any

from aiokafka import ConsumerRebalanceListener, TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import IllegalStateError  # type: ignore[import-untyped]

from services.doors.backoff import Backoff
from services.doors.progress import Progress

log = logging.getLogger("caretally.kafka")

REVOKE_WAIT_SECONDS = 3.0
"""How long a revocation waits for the batch in flight; the store fences what comes later."""


def feed(partition: TopicPartition) -> str:
    """The name under which the store tracks a partition."""
    return f"{partition.topic}/{partition.partition}"


class Placing(ConsumerRebalanceListener):  # type: ignore[misc]
    """Places partitions on assignment and whenever asked to."""

    def __init__(
        self,
        tracking: Callable[[str], Awaitable[int | None]],
        progress: Progress,
        idle: asyncio.Event,
    ) -> None:
        """`tracking` reads a stored position; `idle` is set while no batch is being stored."""
        self.next: dict[TopicPartition, int] = {}
        """Placed partitions and the offset of the message that each is to store next."""
        self.stored_to: dict[TopicPartition, int] = {}
        """The same, kept while a partition is held back: what is before it is stored."""
        self._tracking = tracking
        self._progress = progress
        self._idle = idle
        self._backoff = Backoff()
        self._consumer: Any = None
        self._task: asyncio.Task[None] | None = None

    def attach(self, consumer_of: Callable[[], Any]) -> None:
        """Name the consumer, which is made after its listener."""
        self._consumer = consumer_of

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Let the batch in flight end, so that the next owner starts after it."""
        del revoked
        self.close()
        try:
            await asyncio.wait_for(self._idle.wait(), REVOKE_WAIT_SECONDS)
        except TimeoutError:
            log.warning("a partition was taken away while its batch was being stored")

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Place what is assigned now (all of it: the protocol is eager)."""
        self.next.clear()
        self.stored_to.clear()
        self._progress.problems.clear()
        self._progress.feeds = len(assigned)
        self._pause(assigned)
        self._start(0.0)

    def replace(self, partitions: Iterable[TopicPartition]) -> None:
        """Forget where these stand and place them again at once."""
        partitions = list(partitions)
        for partition in partitions:
            self.next.pop(partition, None)
        self._pause(partitions)
        self._start(0.0)

    def hold_back(self, error: BaseException) -> None:
        """The store is out: consume nothing, and place everything again once it answers."""
        self._progress.hold(error)
        self.next.clear()
        self._pause(self._consumer().assignment())
        self._start(self._backoff.delay())

    def give_up(self, reason: str) -> None:
        """Place nothing any more until the next start: a person must look first."""
        self._progress.given_up = f"{reason}: the rest waits in Kafka until the next start"
        log.error("the feed is not read on: %s", self._progress.given_up)
        self.close()
        self._pause(self._consumer().assignment())

    def stored(self, ends: Mapping[TopicPartition, int]) -> None:
        """The store took a batch up to these offsets: an outage, if there was one, is over."""
        for partition, last in ends.items():
            if partition in self.next:
                self.next[partition] = self.stored_to[partition] = last + 1
        self._backoff.reset()
        self._progress.released()

    def close(self) -> None:
        """Place nothing any more and hold nothing."""
        self.next.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _start(self, delay: float) -> None:
        if self._task is not None:
            self._task.cancel()
        if self._progress.given_up:
            return
        self._task = asyncio.create_task(self._place_all(delay), name="place-partitions")

    async def _place_all(self, delay: float) -> None:
        while True:
            await asyncio.sleep(delay)
            waiting = set(self._consumer().assignment()) - set(self.next)
            try:
                await self._place(waiting)
            except Exception as error:
                self._progress.hold(error)
                log.warning("cannot place partitions yet: %s", type(error).__name__)
            else:
                if set(self._consumer().assignment()) <= set(self.next):
                    return
            delay = self._backoff.delay()

    async def _place(self, waiting: Collection[TopicPartition]) -> None:
        """Seek to the message after the stored one; retention may have taken it already."""
        if not waiting:
            return
        stored = {partition: await self._tracking(feed(partition)) for partition in waiting}
        consumer = self._consumer()
        starts = await consumer.beginning_offsets(list(waiting))
        ends = await consumer.end_offsets(list(waiting))
        for partition, position in stored.items():
            wanted = 0 if position is None else position + 1
            if self._beyond_end(partition, wanted, ends[partition]):
                continue
            if position is not None and wanted < starts[partition]:
                lost = starts[partition] - wanted
                log.error("%s: retention removed %d unread messages", feed(partition), lost)
            self._release(partition, max(wanted, starts[partition]))

    def _beyond_end(self, partition: TopicPartition, wanted: int, end: int) -> bool:
        name = feed(partition)
        if wanted <= end:
            self._progress.problems.pop(name, None)
            return False
        problem = (
            f"{name}: the log ends at {end} but {wanted} was stored; the topic was truncated or"
            " created anew: give it a new name, or clear the stored position"
        )
        if name not in self._progress.problems:
            log.error(problem)
        self._progress.problems[name] = problem
        return True

    def _release(self, partition: TopicPartition, offset: int) -> None:
        consumer = self._consumer()
        try:
            consumer.seek(partition, offset)
            consumer.resume(partition)
        except IllegalStateError:
            return
        self.next[partition] = self.stored_to[partition] = offset
        if self._progress.outage_since is not None:
            log.info("%s: consumption goes on at %d", feed(partition), offset)

    def _pause(self, partitions: Iterable[TopicPartition]) -> None:
        for partition in partitions:
            try:
                self._consumer().pause(partition)
            except IllegalStateError:
                continue
