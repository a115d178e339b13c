"""The alert outbox: stored transitions go to Kafka, in order, at least once, with stable ids.

The ledger (`delivered`) moves only after Kafka has acknowledged. After a crash a subscriber may
see an id again, never a new id for an old transition, and never an old transition as new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError  # type: ignore[import-untyped]

from infra.codec import utc_text
from infra.kafka import KafkaSettings
from projections.ports import Store, TransitionRow
from services.notify.deliverable import deliverable, event_id, event_type
from services.notify.reactor import SinkReactor

CHUNK_MAX = 1000
"""Transitions sent before the ledger moves: what a crash can make a subscriber see again."""

SEND_TIMEOUT_MS = 15_000
"""How long one send may wait for a broker before the chunk is tried anew."""

CLOSE_SECONDS = 0.5
"""How long a producer may take to let go of its connections."""

Headers = list[tuple[str, bytes]]


class AlertRelay(SinkReactor):
    """Reads one store, writes one topic. Survives outages of both by waiting."""

    def __init__(self, settings: KafkaSettings, store: Store) -> None:
        """The ledger's name holds the topic: another topic starts anew."""
        super().__init__(f"kafka:{settings.alerts_topic}", store)
        self._settings = settings
        self._producer: Any = None

    async def _open(self) -> None:
        self._producer = AIOKafkaProducer(
            **self._settings.client(),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=SEND_TIMEOUT_MS,
            max_batch_size=64 * 1024,
        )
        await self._producer.start()

    async def _close(self) -> None:
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._producer.stop(), CLOSE_SECONDS)

    async def _turn(self) -> bool:
        """Send the next transitions; False when there were none."""
        after = await self._call(lambda: self._store.delivered(self.name))
        page = await self._call(lambda: deliverable(self._store, after, CHUNK_MAX))
        if page.through == after:
            return False
        await self._send(page.rows)
        await self._call(lambda: self._store.set_delivered(self.name, page.through))
        self.sent += len(page.rows)
        return True

    async def _send(self, rows: Sequence[TransitionRow]) -> None:
        """Send all, then wait for all: the idempotent producer keeps the order per key."""
        acks = []
        try:
            for row in rows:
                acks.append(
                    await self._producer.send(
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
