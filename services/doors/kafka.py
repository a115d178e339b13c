"""Events from Kafka, each stored exactly once.

The consumed position is written by the store in the transaction of the events themselves, and
reading begins after it. What Kafka keeps as committed offset is a hint for lag tools.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

from aiokafka import ConsumerRecord, TopicPartition  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaAckableMessage

from infra.kafka import KafkaSettings
from projections.ports import PositionPassed
from services.doors.backoff import Backoff
from services.doors.breaker import Breaker, WhollyBadFeed
from services.doors.meter import Meter
from services.doors.placing import Placing, feed
from services.doors.progress import Progress
from services.doors.reading import Reading
from services.ingest import Delivery, Judge

log = logging.getLogger("caretally.kafka")
library_log = logging.getLogger("caretally.kafka.library")
library_log.addFilter(lambda record: "Auto create topics" not in record.getMessage())

Headers = tuple[tuple[str, bytes], ...]
Records = tuple[ConsumerRecord, ...]

METADATA_MAX_AGE_MS = 10_000
"""How soon new topics and partitions are seen."""


class Takes(Protocol):
    """What the door needs of the ingest core."""

    def take(
        self, deliveries: Sequence[Delivery], tracking: Mapping[str, int], *, judge: Judge
    ) -> object:
        """Store a batch with its positions, or raise and store nothing; `judge` may raise too."""


class KafkaDoor:
    """Consumes the events topic; the batch is the transaction.

    Never stops for some bad input (the core dead-letters it) or for an outage (it waits, with
    consumption paused and group membership kept, and goes on by itself). A wholly bad feed is left
    waiting in Kafka until the next start.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        ingest: Takes,
        tracking: Callable[[str], int | None],
        mark: Callable[[Headers], Headers] = tuple,
        awaited: bool = True,
    ) -> None:
        """`tracking` is the store's: the last stored position of a feed. `mark` says in the
        headers which form the messages have. A topic that is not `awaited` may be missing: it is
        read as soon as it is there, and nothing waits for it."""
        self._mark = mark
        self.progress = Progress(awaited=awaited)
        self._settings = settings
        self._ingest = ingest
        self._thread = ThreadPoolExecutor(1, "ingest")
        self._breaker = Breaker(settings.breaker)
        self._idle = asyncio.Event()
        self._idle.set()

        async def stored(name: str) -> int | None:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, tracking, name)

        self._placing = Placing(stored, self.progress, self._idle)
        self._placing.attach(lambda: self._consumer)
        self._broker: KafkaBroker | None = None
        self._subscriber: Any = None
        self._hint: asyncio.Task[None] | None = None
        self._meter: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Connect and begin to consume; waits for a broker or a topic that is not there yet."""
        backoff = Backoff(first=0.2)
        self._meter = asyncio.create_task(self._measuring(), name="measure-lag")
        while not self.progress.running:
            self._build()
            assert self._broker is not None
            try:
                await self._broker.start()
                self.progress.running = True
            except (KafkaError, OSError) as error:
                log.warning("Kafka does not answer yet: %s", type(error).__name__)
                with suppress(KafkaError, OSError):
                    await self._broker.stop()
                await asyncio.sleep(backoff.delay())

    async def stop(self) -> None:
        """Finish the batch in flight, tell the group, and disconnect. Idempotent."""
        self.progress.running = False
        self._placing.close()
        if self._meter is not None:
            self._meter.cancel()
        if self._broker is not None:
            await self._settle_hint()
            await self._broker.stop()
            self._broker = None
        self._thread.shutdown(wait=True)

    async def run(self) -> None:
        """Consume until cancelled."""
        try:
            await self.start()
            await asyncio.Event().wait()
        finally:
            await self.stop()

    @property
    def _consumer(self) -> Any:
        return self._subscriber and self._subscriber.consumer

    async def _measuring(self) -> None:
        topic, placing = self._settings.events_topic, self._placing
        await Meter(lambda: self._consumer, topic, placing, self._idle, self.progress).run()

    def _build(self) -> None:
        settings = self._settings
        self._broker = KafkaBroker(
            settings.bootstrap.split(","),
            client_id=settings.client_id,
            consumer_only=True,
            allow_auto_create_topics=False,
            apply_types=False,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
            security=settings.security(),
            logger=library_log,
            log_level=logging.DEBUG,
        )
        self._subscriber = self._broker.subscriber(
            settings.events_topic,
            batch=True,
            group_id=settings.group_id,
            group_instance_id=settings.group_instance_id,
            ack_policy=AckPolicy.MANUAL,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            batch_timeout_ms=settings.batch_timeout_ms,
            max_records=settings.max_records,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.session_timeout_ms // 4,
            listener=self._placing,
            parser=self._parse,
            decoder=_records,
        )
        self._subscriber(self._take)
        self._subscriber.get_msg = Reading(
            self._placing, settings.max_records, settings.batch_timeout_ms
        )

    async def _parse(self, records: Records) -> KafkaAckableMessage:
        """The raw batch, headers untouched: a foreign header must not cost a message."""
        return KafkaAckableMessage(body=b"", raw_message=records, consumer=self._consumer)

    async def _take(self, records: Records) -> None:
        """Store one batch. Never raises: an exception here would lose the batch."""
        batch = [record for record in records if self._due(record)]
        if not batch:
            return
        ends = _ends(batch)
        try:
            await self._store(batch, ends)
        except WhollyBadFeed as error:
            self._placing.give_up(str(error))
        except PositionPassed:
            log.info("another owner stored these messages first: going on after them")
            self._placing.replace(ends)
        except Exception as error:
            log.warning("the store does not take a batch (%s): waiting", type(error).__name__)
            self._placing.hold_back(error)
        else:
            self._advance(ends, len(batch))

    def _due(self, record: ConsumerRecord) -> bool:
        """Whether the record belongs to a partition that is ours, and comes next in it."""
        wanted = self._placing.next.get(TopicPartition(record.topic, record.partition))
        return wanted is not None and record.offset >= wanted

    async def _store(
        self, batch: Sequence[ConsumerRecord], ends: Mapping[TopicPartition, int]
    ) -> None:
        tracking = {feed(partition): last for partition, last in ends.items()}
        deliveries = [self._delivery(record) for record in batch]
        self._idle.clear()
        loop = asyncio.get_running_loop()
        take = partial(self._ingest.take, deliveries, tracking, judge=self._breaker.judge)
        work = loop.run_in_executor(self._thread, take)
        work.add_done_callback(lambda _: self._idle.set())
        await asyncio.shield(work)

    def _delivery(self, record: ConsumerRecord) -> Delivery:
        headers = tuple((name, value or b"") for name, value in record.headers)
        return Delivery(
            value=record.value,
            key=record.key,
            headers=self._mark(headers),
            origin=f"kafka:{record.topic}/{record.partition}@{record.offset}",
        )

    def _advance(self, ends: Mapping[TopicPartition, int], messages: int) -> None:
        self._breaker.confirm()
        self._placing.stored(ends)
        self.progress.stored(messages)
        if self._hint is None or self._hint.done():
            self._hint = asyncio.create_task(self._commit_hint(), name="commit-hint")

    async def _commit_hint(self) -> None:
        """Tell Kafka how far we are. Nothing depends on it, so nothing waits for it."""
        told: dict[TopicPartition, int] = {}
        while self.progress.running and told != self._placing.next:
            told = dict(self._placing.next)
            try:
                await self._consumer.commit(told)
            except Exception as error:
                log.info("Kafka was not told the position: %s", type(error).__name__)

    async def _settle_hint(self) -> None:
        if self._hint is not None:
            await asyncio.wait([self._hint], timeout=1.0)
            self._hint.cancel()


async def _records(message: KafkaAckableMessage) -> object:
    return message.raw_message


def _ends(batch: Sequence[ConsumerRecord]) -> dict[TopicPartition, int]:
    """The last offset of each partition in the batch (records of one come in order)."""
    return {TopicPartition(r.topic, r.partition): r.offset for r in batch}
