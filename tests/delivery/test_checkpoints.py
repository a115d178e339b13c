"""Checkpoints on Kafka: a serving process makes and sends them; nothing is sent twice in peace."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

from aiokafka import AIOKafkaConsumer  # type: ignore[import-untyped]

from infra.eventstore import open_store
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import ensure_topics
from infra.transparency import Signer, checkpoint_of
from services.audit.publishing import CheckpointKeeper, Publication
from tests.services.test_ingest import chart, ingest_into, logged, take

SIGNER = Signer.new("clinic.example/log")


async def read(settings: KafkaSettings, count: int) -> list[tuple[bytes, str]]:
    consumer = AIOKafkaConsumer(
        settings.checkpoints_topic,
        bootstrap_servers=settings.bootstrap,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        found = [await asyncio.wait_for(consumer.getone(), 20) for _ in range(count)]
        rest = await consumer.getmany(timeout_ms=300)
        assert not rest
        return [(record.key, record.value.decode()) for record in found]
    finally:
        await consumer.stop()


async def until(done: object, seconds: float = 20.0) -> None:
    assert callable(done)
    for _ in range(int(seconds / 0.05)):
        if done():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen in time")


async def test_checkpoints_are_made_in_time_and_sent_once_each(
    settings: KafkaSettings, database: str, tmp_path: Path
) -> None:
    """Signed, in order, keyed by the log's name; a new start sends nothing again."""
    kafka = replace(settings, checkpoints_topic=f"checkpoints-{settings.group_id}")
    assert kafka.checkpoints_topic in await ensure_topics(kafka)
    store = open_store(database)
    take(ingest_into(store), chart())
    publication = Publication(
        store, SIGNER, lambda: 1_742_000_001_000_000, tmp_path / "notes", kafka
    )
    keeper = CheckpointKeeper(lambda: publication, 0.2)
    await keeper.start()
    await until(lambda: keeper.made == 1)
    take(ingest_into(store), [logged("t1", 60)])
    await until(lambda: keeper.made == 2)
    await until(lambda: store.delivered(f"kafka:{kafka.checkpoints_topic}") == 2)
    await keeper.stop()
    again = CheckpointKeeper(lambda: publication, 0.1)
    await again.start()
    await asyncio.sleep(0.5)
    await again.stop()
    records = await read(kafka, 2)
    assert [key for key, _ in records] == [b"clinic.example/log"] * 2
    sizes = [checkpoint_of(SIGNER.verifier.open(note)).size for _, note in records]
    assert sizes == [6, 7]
    files = sorted((tmp_path / "notes").glob("checkpoint-*.txt"))
    assert [file.read_text() for file in files] == [note for _, note in records]
    store.close()


async def test_a_broker_that_is_away_holds_up_no_checkpoint_and_hears_of_it_later(
    settings: KafkaSettings, database: str, tmp_path: Path
) -> None:
    kafka = replace(settings, checkpoints_topic=f"checkpoints-{settings.group_id}")
    away = replace(kafka, bootstrap="127.0.0.1:9")
    await ensure_topics(kafka)
    store = open_store(database)
    take(ingest_into(store), chart())
    reached = [away]

    def publication() -> Publication:
        clock = lambda: 1_742_000_001_000_000  # noqa: E731
        return Publication(store, SIGNER, clock, tmp_path / "notes", reached[0])

    keeper = CheckpointKeeper(publication, 0.2)
    await keeper.start()
    await until(lambda: keeper.outage)
    assert keeper.ready()[0] is False
    assert keeper.made == 1
    reached[0] = kafka
    await until(lambda: keeper.ready()[0])
    await keeper.stop()
    assert len(await read(kafka, 1)) == 1
    store.close()
