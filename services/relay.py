"""The relays to Kafka: stored alerts and assessments go out, in order, at least once.

A ledger moves only after Kafka has acknowledged. After a crash a subscriber may see a message
again, never a new id for an old transition, and never an old one as new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]
from aiokafka.errors import KafkaError, ProducerFenced  # type: ignore[import-untyped]

from infra.kafka import KafkaSettings
from projections.ports import Store
from services.notify.reactor import SinkReactor, Unreachable
from services.outboxes import Alerts, AlertStates, Assessments, Message, Outbox

CHUNK_MAX: Final = 1000
"""Positions looked at before the ledger moves: what a crash can make a subscriber see again."""

SEND_TIMEOUT_MS: Final = 15_000
"""How long one send may wait for a broker before the chunk is tried anew."""

CLOSE_SECONDS: Final = 0.5
"""How long a producer may take to let go of its connections."""

STATE_REST_SECONDS: Final = 0.1
"""A topic of states is served ten times a second: what changes meanwhile is sent once."""

STAND_BY_SECONDS: Final = 5.0
"""After this long without progress a relay that was displaced takes its topic back."""


class TopicRelay(SinkReactor):
    """Takes one outbox to its topic. Survives outages of store and broker by waiting.

    A compacted topic has one writer: each start displaces the one before, whose sends Kafka then
    refuses, and only after that reads what it sends. So no older value can follow a newer one. The
    displaced one stands by until the topic is no longer served.
    """

    def __init__(self, settings: KafkaSettings, store: Store, outbox: Outbox) -> None:
        """The ledger's name holds the topic: another topic starts anew."""
        super().__init__(f"kafka:{outbox.topic}", store)
        self._settings = settings
        self._outbox = outbox
        self._producer: Any = None
        self._displaced = False

    async def _open(self) -> None:
        if self._displaced:
            await self._stand_by()
        self._producer = AIOKafkaProducer(
            **self._settings.client(),
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=SEND_TIMEOUT_MS,
            transaction_timeout_ms=SEND_TIMEOUT_MS,
            transactional_id=f"caretally-{self._outbox.topic}" if self._outbox.compacted else None,
            max_batch_size=64 * 1024,
        )
        await self._producer.start()

    async def _close(self) -> None:
        with suppress(KafkaError, TimeoutError):
            await asyncio.wait_for(self._producer.stop(), CLOSE_SECONDS)

    async def _turn(self) -> bool:
        """Send what is next; False when there was nothing."""
        ledger = await self._call(self._outbox.ledger)
        after = await self._call(lambda: self._store.delivered(ledger))
        due = await self._call(lambda: self._outbox.due(after, CHUNK_MAX))
        if due.through == after:
            return False
        await self._send(due.messages)
        await self._call(lambda: self._store.set_delivered(ledger, due.through))
        self.sent += len(due.messages)
        if self._outbox.compacted:
            await self._sleep(STATE_REST_SECONDS)
        return True

    async def _send(self, messages: Sequence[Message]) -> None:
        if not self._outbox.compacted:
            await self._send_all(messages)
        elif messages:
            try:
                async with self._producer.transaction():
                    await self._send_all(messages)
            except ProducerFenced:
                self._displaced = True
                raise Unreachable("another process serves the topic") from None

    async def _send_all(self, messages: Sequence[Message]) -> None:
        """Send all, then wait for all: the idempotent producer keeps the order per key."""
        acks = []
        try:
            for message in messages:
                acks.append(
                    await self._producer.send(
                        self._outbox.topic,
                        value=message.value,
                        key=message.key.encode(),
                        headers=message.headers,
                    )
                )
        finally:
            results = await asyncio.gather(*acks, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _stand_by(self) -> None:
        """Return once something is due that nobody has sent for a while. Raises Unreachable when
        it is to end before that."""
        self.outage = ""
        seen: tuple[str, int] | None = None
        while True:
            await self._sleep(STAND_BY_SECONDS)
            if self._stopping.is_set():
                raise Unreachable("another process serves the topic")
            waiting = await self._call(self._waiting)
            if waiting is not None and waiting == seen:
                self._displaced = False
                return
            seen = waiting

    def _waiting(self) -> tuple[str, int] | None:
        """Where the ledger stands if something is due beyond it."""
        ledger = self._outbox.ledger()
        after = self._store.delivered(ledger)
        return (ledger, after) if self._outbox.due(after, 1).through > after else None


def relays(settings: KafkaSettings, store: Store) -> list[TopicRelay]:
    """A relay for each topic that has a name."""
    outboxes: list[Outbox] = [Alerts(settings.alerts_topic, store)]
    if settings.alert_state_topic:
        outboxes.append(AlertStates(settings.alert_state_topic, store))
    if settings.assessments_topic:
        outboxes.append(Assessments(settings.assessments_topic, store))
    return [TopicRelay(settings, store, outbox) for outbox in outboxes]
