"""A broker that freezes, dies or is not up yet: consumption goes on by itself."""

from __future__ import annotations

import asyncio

from infra.kafka.local import LocalKafka
from tests.delivery.conftest import fresh
from tests.delivery.feed import mixed, produce, with_broken
from tests.delivery.service import Service, assert_exactly_once, until


async def test_a_frozen_broker_and_a_killed_one_are_waited_out(
    broker: LocalKafka, database: str
) -> None:
    settings = fresh(broker.bootstrap)
    messages, bad = with_broken(mixed(900), every=30)
    third = len(messages) // 3
    topic = settings.events_topic
    async with Service(settings, database) as service:
        counts = service.store.counts
        await asyncio.to_thread(produce, broker.bootstrap, topic, messages[:third])
        await until(lambda: counts()["events"] > 0)
        broker.pause()
        await asyncio.sleep(8)  # beyond the session: the group has forgotten this consumer
        broker.resume()
        await asyncio.to_thread(produce, broker.bootstrap, topic, messages[third : 2 * third])
        await until(lambda: counts()["events"] >= 550, 60)
        broker.kill()
        await asyncio.sleep(1)
        await asyncio.to_thread(broker.start)
        await asyncio.to_thread(produce, broker.bootstrap, topic, messages[2 * third :])
        await until(lambda: counts()["events"] >= 900 and counts()["dead_letters"] >= bad, 60)
        assert_exactly_once(service.store, 900, bad)
        await until(lambda: service.door.progress.ready() == (True, ""))


async def test_a_consumer_may_be_started_before_its_broker(
    broker: LocalKafka, database: str
) -> None:
    settings = fresh(broker.bootstrap)
    broker.stop()
    service = Service(settings, database)
    running = asyncio.create_task(service.door.run())
    await asyncio.sleep(1)
    assert service.door.progress.ready() == (False, "not connected to Kafka")
    await asyncio.to_thread(broker.start)
    await asyncio.to_thread(produce, broker.bootstrap, settings.events_topic, mixed(60))
    await until(lambda: service.store.counts()["events"] == 60, 60)
    running.cancel()
    await asyncio.wait([running])
    service.store.close()
