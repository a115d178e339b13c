"""Events from Kafka are stored exactly once, whatever happens to the consumer or the group."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
import uuid
from functools import partial

from confluent_kafka import (
    OFFSET_END,
    Consumer,
    ConsumerGroupTopicPartitions,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from infra.eventstore import open_store
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import create_topic
from projections.ports import Batch, Store
from tests.delivery import careless
from tests.delivery.feed import Message, broken, mixed, produce, staff_time, structured, with_broken
from tests.delivery.service import Service, assert_exactly_once, letters, until


async def send(settings: KafkaSettings, messages: list[Message]) -> None:
    await asyncio.to_thread(produce, settings.bootstrap, settings.events_topic, messages)


async def settled(service: Service, good: int, bad: int) -> None:
    def done() -> bool:
        counts = service.store.counts()
        return counts["events"] >= good and counts["dead_letters"] >= bad

    await until(done)


async def test_structured_and_binary_events_of_a_foreign_client_are_each_stored_once(
    settings: KafkaSettings, database: str
) -> None:
    messages, bad = with_broken(mixed(400), every=40)
    async with Service(settings, database) as service:
        await send(settings, messages)
        await settled(service, 400, bad)
        assert_exactly_once(service.store, 400, bad)


async def test_a_restarted_consumer_goes_on_where_the_store_is(
    settings: KafkaSettings, database: str
) -> None:
    messages, bad = with_broken(mixed(600), every=50)
    await send(settings, messages[:300])
    async with Service(settings, database) as service:
        await settled(service, 100, 1)
    await send(settings, messages[300:])
    async with Service(settings, database) as service:
        await settled(service, 600, bad)
        assert_exactly_once(service.store, 600, bad)


async def test_committed_offsets_of_kafka_do_not_matter_behind_ahead_or_deleted(
    settings: KafkaSettings, database: str
) -> None:
    good, bad = 0, 0
    for how in ("behind", "ahead", "deleted"):
        messages, broken_now = with_broken(mixed(90, start=good), every=10)
        good, bad = good + 90, bad + broken_now
        await send(settings, messages)
        if how == "ahead":
            await asyncio.to_thread(move_committed, settings, OFFSET_END)
        async with Service(settings, database) as service:
            await settled(service, good, bad)
        await asyncio.to_thread(move_committed, settings, 0 if how == "behind" else None)
    async with Service(settings, database) as service:
        await until(lambda: service.door.progress.feeds == 3)
        await asyncio.sleep(0.5)
        assert_exactly_once(service.store, good, bad)


def move_committed(settings: KafkaSettings, offset: int | None) -> None:
    """Set what the group committed, or delete the group."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap})
    group, topic = settings.group_id, settings.events_topic
    if offset is None:
        admin.delete_consumer_groups([group])[group].result(20)
        return
    if offset == OFFSET_END:
        consumer = Consumer({"bootstrap.servers": settings.bootstrap, "group.id": group})
        ends = [consumer.get_watermark_offsets(TopicPartition(topic, n))[1] for n in range(3)]
        consumer.close()
    else:
        ends = [offset] * 3
    partitions = [TopicPartition(topic, number, end) for number, end in enumerate(ends)]
    request = ConsumerGroupTopicPartitions(group, partitions)
    admin.alter_consumer_group_offsets([request])[group].result(20)


async def test_a_consumer_killed_at_any_moment_loses_and_doubles_nothing(
    settings: KafkaSettings, database: str
) -> None:
    messages, bad = with_broken(mixed(3000), every=30)
    await send(settings, messages)
    store = open_store(database)
    for wanted in (1, 700, 1500):
        process = consumer_process(settings, database)
        try:
            await until(partial(has, store, wanted))
        finally:
            process.kill()
            process.wait()
    async with Service(settings, database) as service:
        await settled(service, 3000, bad)
        assert_exactly_once(service.store, 3000, bad)
    store.close()


def has(store: Store, events: int) -> bool:
    return store.counts()["events"] >= events


def consumer_process(settings: KafkaSettings, database: str) -> subprocess.Popen[bytes]:
    module = [sys.executable, "-m", "tests.delivery.service"]
    where = [settings.bootstrap, settings.events_topic, settings.group_id, database]
    return subprocess.Popen([*module, *where])


async def test_a_cancelled_consumer_leaves_nothing_half_done(
    settings: KafkaSettings, database: str
) -> None:
    messages, bad = with_broken(mixed(1000), every=25)
    first = Service(settings, database)
    running = asyncio.create_task(first.door.run())
    await send(settings, messages)
    await until(lambda: first.store.counts()["events"] > 0)
    running.cancel()
    await asyncio.wait([running])
    async with Service(settings, database) as service:
        await settled(service, 1000, bad)
        assert_exactly_once(service.store, 1000, bad)


async def test_a_wrong_message_is_kept_whole_and_the_next_one_is_stored(
    settings: KafkaSettings, database: str
) -> None:
    good = structured(staff_time("pt1", 1))
    batch_mode = [("content-type", b"application/cloudevents-batch+json")]
    wrong = [
        broken(1),
        Message(b"k\xff", b"{}", [("ce_id", b"\xff\xfe"), ("ce_specversion", b"1.0")]),
        Message(b"p1/pt1", None, []),
        Message(None, b"[]", list(batch_mode)),
        Message(b"p1/pt1", good.value, [("content-type", b"\xc3\x28")]),
    ]
    for number, message in enumerate(wrong):
        await send(settings, [message, structured(staff_time("pt1", number))])
    async with Service(settings, database) as service:
        await settled(service, len(wrong), len(wrong) - 1)
        kept = {(x.value, x.key, x.headers) for x in letters(service.store)}
        for message in wrong[:4]:
            assert (message.value, message.key, tuple(message.headers)) in kept
        assert {x.reason for x in letters(service.store)}
        await until(lambda: service.door.progress.ready() == (True, ""))


async def test_an_outage_of_the_store_stops_consumption_and_loses_nothing(
    settings: KafkaSettings, database: str
) -> None:
    messages, bad = with_broken(mixed(500), every=50)
    async with Service(settings, database) as service:
        await send(settings, messages[:200])
        await settled(service, 1, 0)
        service.switch.down = True
        await send(settings, messages[200:])
        await until(lambda: service.switch.refused >= 4)
        await until(lambda: service.door.progress.ready() == (False, "held back by OSError"))
        assert await asyncio.to_thread(ahead_of_store, settings, service) == []
        service.switch.down = False
        await settled(service, 500, bad)
        assert_exactly_once(service.store, 500, bad)
        await until(lambda: service.door.progress.ready() == (True, ""))


def ahead_of_store(settings: KafkaSettings, service: Service) -> list[TopicPartition]:
    """Partitions whose committed offset runs ahead of what the store has."""
    admin = AdminClient({"bootstrap.servers": settings.bootstrap})
    group = ConsumerGroupTopicPartitions(settings.group_id)
    found = admin.list_consumer_group_offsets([group])[settings.group_id].result(20)
    stored = service.store.tracking
    return [
        p
        for p in found.topic_partitions
        if p.offset > (stored(f"{p.topic}/{p.partition}") or 0) + 1
    ]


async def test_an_outage_at_the_start_is_waited_out(settings: KafkaSettings, database: str) -> None:
    service = Service(settings, database)
    service.switch.down = True
    await send(settings, mixed(50))
    async with service:
        await until(lambda: service.switch.refused >= 3)
        assert service.store.counts()["events"] == 0
        service.switch.down = False
        await settled(service, 50, 0)


async def test_two_consumers_of_a_group_share_the_work_and_double_nothing(
    settings: KafkaSettings, database: str
) -> None:
    messages, bad = with_broken(mixed(2000), every=20)
    async with Service(settings, database) as first:
        await send(settings, messages[:700])
        await settled(first, 1, 0)
        async with Service(settings, database) as second:
            await send(settings, messages[700:1400])
            await until(lambda: first.door.progress.feeds > 0 < second.door.progress.feeds)
            await until(lambda: first.door.progress.feeds + second.door.progress.feeds == 3)
        await send(settings, messages[1400:])
        await settled(first, 2000, bad)
        assert_exactly_once(first.store, 2000, bad)


async def test_lag_is_measured_and_falls_to_nothing(settings: KafkaSettings, database: str) -> None:
    async with Service(settings, database) as service:
        progress = service.door.progress
        await send(settings, mixed(100))
        await settled(service, 100, 0)
        await until(lambda: len(progress.lag) == 3 and progress.total_lag == 0)
        assert progress.polled is not None
        assert progress.polled <= time.monotonic()
        assert not progress.stalled(0.0)


async def test_a_topic_made_later_is_asked_for_and_then_read(kafka: str, database: str) -> None:
    topic = f"later-{uuid.uuid4().hex[:8]}"
    settings = KafkaSettings(kafka, events_topic=topic, group_id=topic)
    service = Service(settings, database)
    running = asyncio.create_task(service.door.run())
    problems = service.door.progress.problems
    await until(lambda: topic in problems)
    assert "does not exist" in service.door.progress.ready()[1]
    create_topic(kafka, topic, 1)
    await send(settings, mixed(20))
    await settled(service, 20, 0)
    await until(lambda: service.door.progress.ready() == (True, ""))
    running.cancel()
    await asyncio.wait([running])
    service.store.close()


async def test_a_topic_that_ends_before_the_stored_position_waits_for_a_person(
    settings: KafkaSettings, database: str
) -> None:
    store = open_store(database)
    store.commit(Batch(tracking={f"{settings.events_topic}/{n}": 500 for n in range(3)}))
    store.close()
    await send(settings, mixed(30))
    async with Service(settings, database) as service:
        await until(lambda: len(service.door.progress.problems) == 3)
        ready, why = service.door.progress.ready()
        assert not ready
        assert "500" in why or "501" in why
        assert service.store.counts()["events"] == 0


async def test_an_aborted_transaction_of_the_feed_is_never_counted(
    settings: KafkaSettings, database: str
) -> None:
    async with Service(settings, database) as service:
        await asyncio.to_thread(transact, settings, mixed(30), commit=False)
        await asyncio.to_thread(transact, settings, mixed(30, start=30), commit=True)
        await settled(service, 30, 0)
        await send(settings, mixed(10, start=60))
        await settled(service, 40, 0)
        assert_exactly_once(service.store, 40, 0)
        await until(lambda: service.door.progress.total_lag == 0)


def transact(settings: KafkaSettings, messages: list[Message], commit: bool) -> None:
    producer = Producer(
        {"bootstrap.servers": settings.bootstrap, "transactional.id": f"{settings.group_id}"}
    )
    producer.init_transactions(20)
    producer.begin_transaction()
    for m in messages:
        producer.produce(settings.events_topic, m.value, m.key, headers=m.headers)
    producer.flush(20)
    if commit:
        producer.commit_transaction(20)
    else:
        producer.abort_transaction(20)


async def test_a_header_name_that_is_no_text_costs_no_message_not_even_its_own(
    settings: KafkaSettings, database: str
) -> None:
    _, bad = careless.messages()
    command = [sys.executable, "-m", "tests.delivery.careless"]
    where = [settings.bootstrap, settings.events_topic]
    plain = {**os.environ, "AIOKAFKA_NO_EXTENSIONS": "1"}
    subprocess.run([*command, *where], env=plain, check=True, timeout=60)
    async with Service(settings, database) as service:
        await settled(service, 200, bad)
        assert_exactly_once(service.store, 200, bad)
        await until(lambda: service.door.progress.total_lag == 0)
