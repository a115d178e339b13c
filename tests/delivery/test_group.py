"""Several consumers of one group: a late writer is refused, a named one comes back quietly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest
from aiokafka import TopicPartition  # type: ignore[import-untyped]

from infra.kafka.settings import KafkaSettings
from services.ingest import Delivery, Judge
from tests.delivery.feed import Message, mixed, produce, with_broken
from tests.delivery.service import Service, Switch, assert_exactly_once, until
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


class Asleep(Switch):
    """A consumer that falls asleep with its first batch in hand, before the store has it."""

    def __init__(self, awake: Event, service: Service) -> None:
        super().__init__(service.ingest, service.store)
        self.awake, self.holds = awake, 0

    def take(
        self, deliveries: Sequence[Delivery], tracking: Mapping[str, int], *, judge: Judge
    ) -> object:
        if not self.awake.is_set():
            self.holds = len(deliveries)
            assert self.awake.wait(120)
        return super().take(deliveries, tracking, judge=judge)


async def send(settings: KafkaSettings, messages: list[Message]) -> None:
    await asyncio.to_thread(produce, settings.bootstrap, settings.events_topic, messages)


@pytest.fixture
def awake() -> Iterator[Event]:
    """Set at the latest when the test is over: a thread waits for it."""
    event = Event()
    yield event
    event.set()


async def test_the_store_refuses_a_late_writer_and_nothing_is_doubled(
    settings: KafkaSettings, either: str, awake: Event, caplog: pytest.LogCaptureFixture
) -> None:
    """Its partitions went to another consumer, which stored the same messages meanwhile."""
    messages, bad = with_broken(mixed(600), every=20)
    await send(settings, messages)
    late = Service(settings, either)
    asleep = Asleep(awake, late)
    late.door._ingest = asleep
    async with late, Service(settings, either) as other:
        await until(lambda: asleep.holds > 0, 60)
        await until(lambda: other.store.counts()["events"] > 0, 60)
        await until(lambda: other.door.progress.feeds > 0 and other.door.progress.total_lag == 0)
        with caplog.at_level(logging.INFO, "caretally.kafka"):
            awake.set()
            await until(lambda: other.store.counts()["events"] == 600, 60)
            await until(lambda: other.store.counts()["dead_letters"] >= bad, 60)
            await until(lambda: "another owner stored these messages first" in caplog.text)
        assert_exactly_once(other.store, 600, bad)


class Placements:
    """How often a consumer was given its partitions."""

    def __init__(self, service: Service) -> None:
        self.count = 0
        self._placing = service.door._placing
        self._inner = self._placing.on_partitions_assigned
        self._placing.on_partitions_assigned = self._assigned  # type: ignore[method-assign]

    async def _assigned(self, assigned: Collection[TopicPartition]) -> None:
        self.count += 1
        await self._inner(assigned)


async def test_a_consumer_with_a_name_comes_back_without_disturbing_the_others(
    settings: KafkaSettings, database: str
) -> None:
    """Its partitions wait for it as long as its session lasts, and nobody else's stop."""
    patient = replace(settings, session_timeout_ms=30_000)
    first = Service(replace(patient, group_instance_id="first"), database)
    placements = Placements(first)
    async with first:
        named = replace(patient, group_instance_id="second")
        async with Service(named, database) as second:
            await until(lambda: first.door.progress.feeds + second.door.progress.feeds == 3, 60)
            await until(lambda: second.door.progress.feeds > 0, 60)
            held = first.door.progress.feeds
        before = placements.count
        await send(settings, mixed(300))
        async with Service(named, database) as second:
            await until(lambda: first.store.counts()["events"] == 300, 60)
            assert second.door.progress.feeds == 3 - held
        assert placements.count == before
        assert first.door.progress.feeds == held
