"""Measures a consumer: the broker's client keeps no lag, and nobody else can see it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from services.doors.placing import Placing, feed
from services.doors.progress import Progress

log = logging.getLogger("caretally.kafka")

INTERVAL_SECONDS = 1.0

MISSING_TWICE = 2
"""Measures in a row without the topic before that is said: the first may come too early."""


class Meter:
    """Writes lag, the age of the last answer and a missing topic into `Progress`."""

    def __init__(
        self,
        consumer_of: Callable[[], Any],
        topic: str,
        placing: Placing,
        idle: asyncio.Event,
        progress: Progress,
    ) -> None:
        """`consumer_of` gives the consumer or None; `idle` is that of `placing`."""
        self._consumer_of = consumer_of
        self._topic = topic
        self._placing = placing
        self._idle = idle
        self._progress = progress
        self._missing = 0

    async def run(self) -> None:
        """Measure every second until cancelled."""
        while True:
            with suppress(KafkaError, AssertionError):
                await self._measure()
            await asyncio.sleep(INTERVAL_SECONDS)

    async def _measure(self) -> None:
        consumer, lag = self._consumer_of(), {}
        if consumer is None:
            return
        self._check_topic(consumer)
        for partition, left in (await self._left(consumer)).items():
            lag[feed(partition)] = left
        for partition in list(self._placing.next):
            end = consumer.highwater(partition)
            if end is not None:
                lag[feed(partition)] = max(0, end - await self._done(consumer, partition))
            self._note_answer(consumer.last_poll_timestamp(partition))
        self._progress.lag = lag

    async def _left(self, consumer: Any) -> dict[TopicPartition, int]:
        """The lag of partitions that are held back: nothing is fetched that would tell it."""
        held = consumer.assignment() - self._placing.next.keys()
        known = {p: self._placing.stored_to[p] for p in held if p in self._placing.stored_to}
        if not known:
            return {}
        ends = await consumer.end_offsets(list(known))
        return {p: max(0, ends[p] - offset) for p, offset in known.items()}

    async def _done(self, consumer: Any, partition: TopicPartition) -> int:
        """The offset before which nothing waits; transaction markers hold no message."""
        read_to: int = await consumer.position(partition)
        return read_to if self._idle.is_set() else self._placing.next.get(partition, read_to)

    def _note_answer(self, wall_ms: int | None) -> None:
        if wall_ms:
            age = max(0.0, time.time() - wall_ms / 1000)
            at = self._progress.monotonic() - age
            self._progress.polled = max(self._progress.polled or at, at)

    def _check_topic(self, consumer: Any) -> None:
        """A missing topic is no outage and heals by itself, but somebody must know."""
        if not self._progress.awaited:
            return
        problems = self._progress.problems
        if consumer.partitions_for_topic(self._topic):
            self._missing = 0
            problems.pop(self._topic, None)
        elif consumer._client.cluster.brokers():  # no public way to ask "were you ever told?"
            self._missing += 1
        if self._missing >= MISSING_TWICE and self._topic not in problems:
            problems[self._topic] = (
                f"topic {self._topic} does not exist: create it, or serve --create-topics"
            )
            log.error(problems[self._topic])
