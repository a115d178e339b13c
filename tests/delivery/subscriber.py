"""A foreign alerting system: reads the alerts topic with another client library."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from infra.kafka.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class Alert:
    key: bytes | None
    value: bytes | None
    headers: dict[str, str | bytes | None]
    place: tuple[int, int]
    """Partition and offset."""

    @property
    def id(self) -> str:
        name = self.headers["ce_id"]
        assert isinstance(name, bytes)
        return name.decode()


def alerts(settings: KafkaSettings, enough: Callable[[list[Alert]], bool]) -> list[Alert]:
    """Everything on the alerts topic from its beginning, once there is enough of it."""
    consumer = Consumer(
        {
            "bootstrap.servers": settings.bootstrap,
            "group.id": "unused",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    topic = settings.alerts_topic
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(2)])
    found: list[Alert] = []
    end = time.monotonic() + 30
    try:
        while not enough(found):
            assert time.monotonic() < end, f"only {len(found)} alerts came"
            for message in consumer.consume(500, timeout=0.2):
                assert message.error() is None
                found.append(
                    Alert(
                        message.key(),
                        message.value(),
                        dict(message.headers() or {}),
                        (message.partition() or 0, message.offset() or 0),
                    )
                )
    finally:
        consumer.close()
    return found
