"""Measures a consumer: the broker's client keeps no lag, and nobody else can see it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from services.doors.placing import feed
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
        placed: Mapping[TopicPartition, int],
        idle: asyncio.Event,
        progress: Progress,
    ) -> None:
        """`consumer_of` gives the consumer or None; `placed` and `idle` are those of `Placing`."""
        self._consumer_of = consumer_of
        self._topic = topic
        self._placed = placed
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
        for partition in list(self._placed):
            end = consumer.highwater(partition)
            if end is not None:
                lag[feed(partition)] = max(0, end - await self._done(consumer, partition))
            self._note_answer(consumer.last_poll_timestamp(partition))
        self._progress.lag = lag

    async def _done(self, consumer: Any, partition: TopicPartition) -> int:
        """The offset before which nothing waits; transaction markers hold no message."""
        read_to: int = await consumer.position(partition)
        return read_to if self._idle.is_set() else self._placed.get(partition, read_to)

    def _note_answer(self, wall_ms: int | None) -> None:
        if wall_ms:
            age = max(0.0, time.time() - wall_ms / 1000)
            at = self._progress.monotonic() - age
            self._progress.polled = max(self._progress.polled or at, at)

    def _check_topic(self, consumer: Any) -> None:
        """A missing topic is no outage and heals by itself, but somebody must know."""
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
