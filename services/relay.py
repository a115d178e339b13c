"""The alert outbox: stored transitions go to Kafka, in order, at least once, with stable ids.

The ledger (`delivered`) moves only after Kafka has acknowledged. After a crash a subscriber may
see an id again, never a new id for an old transition, and never an old transition as new.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from infra.codec import utc_text
from infra.kafka import KafkaSettings
from projections.ports import Store, TransitionRow
from services.doors.backoff import Backoff
from services.notify.deliverable import deliverable, event_id, event_type

log = logging.getLogger("caretally.relay")

CHUNK_MAX = 1000
"""Transitions sent before the ledger moves: what a crash can make a subscriber see again."""

WAIT_SECONDS = 0.5
"""The longest wait for the log to move; also how soon a stop is noticed when idle."""

SEND_TIMEOUT_MS = 15_000
"""How long one send may wait for a broker before the chunk is tried anew."""

STOP_SECONDS = 2.5
"""How long a stop goes on delivering; what is left then is delivered after the next start."""

CLOSE_SECONDS = 0.5
"""How long a producer may take to let go of its connections."""

Result = TypeVar("Result")
Headers = list[tuple[str, bytes]]


class AlertRelay:
    """Reads one store, writes one topic. Survives outages of both by waiting."""

    def __init__(self, settings: KafkaSettings, store: Store) -> None:
        """The ledger's name holds the topic: another topic starts anew."""
        self.sink = f"kafka:{settings.alerts_topic}"
        self.sent = 0
        """Transitions acknowledged since the start."""
        self.outage = ""
        """The class of the fault that holds delivery back; empty when there is none."""
        self._settings = settings
        self._store = store
        self._thread = ThreadPoolExecutor(1, "relay")
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """How health and metrics call it."""
        return self.sink

    def ready(self) -> tuple[bool, str]:
        """Whether transitions reach the topic, and what stands in the way if not."""
        return not self.outage, self.outage and f"held back by {self.outage}"

    async def start(self) -> None:
        """Begin to deliver, in the background; returns at once."""
        self._task = asyncio.create_task(self.run(), name="alert-relay")

    async def stop(self) -> None:
        """Deliver what is stored already, if Kafka is up, and end. Idempotent."""
        self._stopping.set()
        if self._task is not None:
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            self._task.cancel()
            await asyncio.wait([self._task], timeout=2 * CLOSE_SECONDS)
            self._task = None
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def run(self) -> None:
        """Deliver until stopped or cancelled; a fault is waited out and everything opened anew."""
        backoff = Backoff(first=0.1)
        while True:
            try:
                await self._deliver(backoff)
                return
            except Exception as error:
                self.outage = type(error).__name__
                log.warning("alerts wait to be delivered: %s", self.outage)
                if self._stopping.is_set():
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), backoff.delay())

    async def _deliver(self, backoff: Backoff) -> None:
        producer = self._producer()
        await producer.start()
        try:
            while True:
                head = await self._call(self._store.head)
                more = await self._deliver_chunk(producer)
                backoff.reset()
                self.outage = ""
                if self._stopping.is_set() and not more:
                    return
                if not more:
                    await self._call(partial(self._store.wait, head, WAIT_SECONDS))
        finally:
            with suppress(KafkaError, TimeoutError):
                await asyncio.wait_for(producer.stop(), CLOSE_SECONDS)

    async def _deliver_chunk(self, producer: Any) -> bool:
        """Send the next transitions; False when there were none."""
        after = await self._call(lambda: self._store.delivered(self.sink))
        page = await self._call(lambda: deliverable(self._store, after, CHUNK_MAX))
        if page.through == after:
            return False
        await self._send(producer, page.rows)
        await self._call(lambda: self._store.set_delivered(self.sink, page.through))
        self.sent += len(page.rows)
        return True

    async def _send(self, producer: Any, rows: Sequence[TransitionRow]) -> None:
        """Send all, then wait for all: the idempotent producer keeps the order per key."""
        acks = []
        try:
            for row in rows:
                acks.append(
                    await producer.send(
                        self._settings.alerts_topic,
                        value=row.body,
                        key=f"{row.practice_id}/{row.patient_id}".encode(),
                        headers=headers(row),
                    )
                )
        finally:
            results = await asyncio.gather(*acks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _producer(self) -> Any:
        return AIOKafkaProducer(
            **self._settings.client(),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=SEND_TIMEOUT_MS,
            max_batch_size=64 * 1024,
        )

    async def _call(self, work: Callable[[], Result]) -> Result:
        """The store's calls block: they get a thread of their own."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def headers(row: TransitionRow) -> Headers:
    """The CloudEvent's attributes, in Kafka's binary content mode."""
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": event_id(row),
        "ce_source": "caretally",
        "ce_type": event_type(row),
        "ce_subject": row.patient_id,
        "ce_practiceid": row.practice_id,
        "ce_time": utc_text(row.recorded_at_us),
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in attributes.items()]
