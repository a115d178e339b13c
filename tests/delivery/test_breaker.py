"""A wholly bad feed waits in Kafka and a person is told; a few bad messages stop nothing."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import httpx
import pytest

from infra.kafka.settings import KafkaSettings
from tests.delivery.feed import Message, broken, mixed, produce, with_broken
from tests.delivery.service import Service, assert_exactly_once, letters, until
from tests.delivery.test_serving import environment, stored
from tests.services.serving import eventually, figures, serving


def nonsense(count: int, start: int = 0) -> list[Message]:
    return [broken(number) for number in range(start, start + count)]


async def send(settings: KafkaSettings, messages: list[Message]) -> None:
    await asyncio.to_thread(produce, settings.bootstrap, settings.events_topic, messages)


async def test_a_wholly_bad_feed_is_left_in_kafka_and_said_once(
    settings: KafkaSettings, database: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Dead letters stay below the limit, lag tells what waits, and the process is not dead."""
    await send(settings, mixed(300))
    async with Service(settings, database) as service:
        progress = service.door.progress
        await until(lambda: service.store.counts()["events"] == 300)
        with caplog.at_level(logging.ERROR, "caretally.kafka"):
            await send(settings, nonsense(3000))
            await until(lambda: bool(progress.given_up))
            ready, why = progress.ready()
            assert not ready
            assert "in a row were refused, mostly as not-json" in why
            kept = len(letters(service.store))
            assert kept < 100
            await until(lambda: progress.total_lag == 3000 - kept)
            await send(settings, mixed(50, start=300))
            await until(lambda: progress.total_lag == 3050 - kept)
        said = [r.getMessage() for r in caplog.records if r.name == "caretally.kafka"]
        assert said == [f"the feed is not read on: {why}"]
        assert len(letters(service.store)) == kept
        assert not progress.stalled(0.0)


async def test_a_rebalance_does_not_close_it_but_a_start_with_other_limits_reads_on(
    settings: KafkaSettings, database: str
) -> None:
    """The documented way out: nothing is lost, and what was bad is in dead letters, once each."""
    await send(settings, nonsense(600) + mixed(200))
    async with Service(settings, database) as first:
        await until(lambda: bool(first.door.progress.given_up))
        async with Service(settings, database) as second:
            await until(lambda: bool(second.door.progress.given_up))
        await until(lambda: first.door.progress.feeds == 3)
        assert first.door.progress.given_up
        assert len(letters(first.store)) < 200
    tolerant = replace(settings, breaker_in_a_row=0, breaker_percent=0)
    async with Service(tolerant, database) as service:
        await until(lambda: service.store.counts()["dead_letters"] == 600)
        await until(lambda: service.store.counts()["events"] == 200)
        assert_exactly_once(service.store, 200, 600)


async def test_a_few_bad_ones_never_trip_it(settings: KafkaSettings, database: str) -> None:
    """Not even a third of everything."""
    messages, bad = with_broken(mixed(2000), every=2)
    async with Service(settings, database) as service:
        await send(settings, messages)
        await until(lambda: service.store.counts()["dead_letters"] == bad)
        await until(lambda: service.store.counts()["events"] == 2000)
        await until(lambda: service.door.progress.ready() == (True, ""))


def test_a_serving_process_says_it_on_readyz_and_metrics_and_stays_alive(
    settings: KafkaSettings, database: str
) -> None:
    with (
        serving(environment(settings, database), "--role", "ingest") as service,
        httpx.Client(base_url=service.base(), timeout=10) as client,
    ):
        produce(settings.bootstrap, settings.events_topic, nonsense(500))
        eventually(lambda: client.get("/readyz").status_code == 503)
        eventually(lambda: figures(client)["caretally_breaker_open"] == 1)
        check = client.get("/readyz").json()["checks"]["kafka"]
        assert not check["ok"]
        assert "refused" in check["finding"]
        assert client.get("/livez").status_code == 200
        assert service.stop() == 0
        said = [line for line in service.rest_of_log() if "not read on" in line["message"]]
        assert len(said) == 1
    with stored(database) as store:
        assert store.counts()["dead_letters"] < 100
