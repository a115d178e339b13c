"""A foreign system: reads the topics we write with another client library."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
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
    return records(settings.bootstrap, settings.alerts_topic, enough)


def records(
    bootstrap: str, topic: str, enough: Callable[[list[Alert]], bool], seconds: float = 30
) -> list[Alert]:
    """Everything on a topic of two partitions from its beginning, once there is enough of it."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "unused",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in range(2)])
    found: list[Alert] = []
    end = time.monotonic() + seconds
    try:
        while not enough(found):
            assert time.monotonic() < end, f"only {len(found)} records came"
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


def latest(found: Iterable[Alert]) -> dict[str, bytes]:
    """What a topic of states comes to: the last value of each key, tombstones left out."""
    values: dict[str, bytes] = {}
    for record in sorted(found, key=lambda record: record.place):
        key = (record.key or b"").decode()
        if record.value is None:
            values.pop(key, None)
        else:
            values[key] = record.value
    return values
