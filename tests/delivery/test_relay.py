"""Alert transitions reach their topic in order, at least once, under ids that never change."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence

from infra.eventstore import open_store
from infra.kafka.local import LocalKafka
from infra.kafka.settings import KafkaSettings
from projections.ports import AlertState, Batch, Store, StoredEvent, TransitionRow
from services.outboxes import Alerts, Message
from services.relay import TopicRelay
from tests.delivery.conftest import fresh
from tests.delivery.service import until
from tests.delivery.subscriber import Alert, alerts

RECORDED_AT_US = 1_741_000_000_123_456


def transitions(patients: int, each: int, start: int = 1) -> list[TransitionRow]:
    """`each` transitions of one alert for every patient, patients in turn."""
    rows = []
    for number in range(start, start + each):
        for patient in range(patients):
            state = AlertState(
                f"alert-{patient}",
                "2025-03",
                "threshold.reached",
                "99490",
                1,
                number,
                bool(number % 2),
            )
            body = json.dumps({"alert_id": state.alert_id, "transition": number}).encode()
            stream = f"p1/pt{patient}"
            rows.append(TransitionRow(stream, "p1", f"pt{patient}", state, RECORDED_AT_US, body))
    return rows


def decide(store: Store, rows: list[TransitionRow]) -> None:
    """Store transitions with the event that caused them, as ingest does: the log moves."""
    version = store.versions().get("p1/cause", 0) + 1
    event = StoredEvent("p1/cause", version, "time.logged.v1", b"{}", version.to_bytes(16, "big"))
    store.commit(Batch(events=[event], versions={"p1/cause": version}, transitions=rows))


def alert_relay(settings: KafkaSettings, store: Store) -> TopicRelay:
    return TopicRelay(settings, store, Alerts(settings.alerts_topic, store))


async def received(settings: KafkaSettings, count: int) -> list[Alert]:
    return await asyncio.to_thread(alerts, settings, lambda found: len(found) >= count)


def assert_in_order(found: list[Alert], each: int) -> None:
    """Per patient, first arrivals count up from 1."""
    seen: dict[bytes | None, list[int]] = {}
    for alert in sorted(found, key=lambda a: a.place):
        number = int(alert.id.rpartition(".")[2])
        numbers = seen.setdefault(alert.key, [])
        if number not in numbers:
            numbers.append(number)
    assert all(numbers == list(range(1, each + 1)) for numbers in seen.values())


async def test_transitions_arrive_in_order_as_cloudevents_keyed_by_patient(
    settings: KafkaSettings, database: str
) -> None:
    store = open_store(database)
    decide(store, transitions(patients=10, each=30))
    relay = alert_relay(settings, store)
    await relay.start()
    found = await received(settings, 300)
    await relay.stop()
    assert len(found) == 300
    assert_in_order(found, 30)
    first = next(a for a in found if a.id == "alert-3.1")
    assert first.key == b"p1/pt3"
    assert json.loads(first.value or b"") == {"alert_id": "alert-3", "transition": 1}
    assert first.headers == {
        "ce_specversion": b"1.0",
        "ce_id": b"alert-3.1",
        "ce_source": b"caretally",
        "ce_type": b"threshold.reached.v1",
        "ce_subject": b"pt3",
        "ce_practiceid": b"p1",
        "ce_time": b"2025-03-03T11:06:40.123456Z",
        "content-type": b"application/json",
    }
    store.close()


async def test_a_restarted_relay_sends_again_only_what_was_not_noted_and_under_equal_ids(
    settings: KafkaSettings, database: str
) -> None:
    store = open_store(database)
    decide(store, transitions(patients=5, each=10))
    relay = alert_relay(settings, store)
    await relay.start()
    await until(lambda: store.delivered(relay.name) == store.transitions(0, 99)[-1].position)
    await relay.stop()

    class Crashing(TopicRelay):
        """Dies between Kafka's acknowledgement and the note of it in the ledger."""

        async def _send(self, messages: Sequence[Message]) -> None:
            await super()._send(messages)
            raise asyncio.CancelledError

    decide(store, transitions(patients=5, each=10, start=11))
    dying = Crashing(settings, store, Alerts(settings.alerts_topic, store))
    await dying.start()
    await received(settings, 100)
    await dying.stop()

    relay = alert_relay(settings, store)
    await relay.start()
    found = await received(settings, 150)
    await relay.stop()
    ids = [a.id for a in found]
    assert len(set(ids)) == 100
    assert {i for i in ids if ids.count(i) > 1} == {
        f"alert-{p}.{n}" for p in range(5) for n in range(11, 21)
    }
    bodies: dict[str, set[bytes | None]] = {}
    for alert in found:
        bodies.setdefault(alert.id, set()).add(alert.value)
    assert all(len(values) == 1 for values in bodies.values())
    assert_in_order(found, 20)
    store.close()


async def test_an_idle_relay_wakes_at_once(settings: KafkaSettings, database: str) -> None:
    store = open_store(database)
    relay = alert_relay(settings, store)
    await relay.start()
    decide(store, transitions(1, 1))
    await until(lambda: relay.sent == 1)
    delays = []
    for number in range(2, 22):
        await asyncio.sleep(0.03)
        began = time.perf_counter()
        await asyncio.to_thread(decide, store, transitions(1, 1, start=number))
        while relay.sent < number:
            await asyncio.sleep(0.001)
        delays.append(time.perf_counter() - began)
    await relay.stop()
    store.close()
    assert sorted(delays)[len(delays) // 2] < 0.1


async def test_stopping_delivers_what_is_stored(settings: KafkaSettings, database: str) -> None:
    store = open_store(database)
    relay = alert_relay(settings, store)
    await relay.start()
    decide(store, transitions(patients=50, each=40))
    await relay.stop()
    assert store.delivered(relay.name) == 2000
    assert len(await received(settings, 2000)) == 2000
    store.close()


async def test_alerts_wait_out_a_broker_that_freezes_or_dies(
    broker: LocalKafka, database: str
) -> None:
    settings = fresh(broker.bootstrap)
    store = open_store(database)
    relay = alert_relay(settings, store)
    await relay.start()
    decide(store, transitions(4, 5))
    await until(lambda: relay.sent == 20)
    broker.pause()
    decide(store, transitions(4, 5, start=6))
    await asyncio.sleep(2)
    assert relay.sent == 20
    broker.resume()
    await until(lambda: relay.sent == 40)
    broker.kill()
    decide(store, transitions(4, 5, start=11))
    await asyncio.sleep(1)
    assert relay.sent == 40
    await asyncio.to_thread(broker.start)
    await until(lambda: relay.sent == 60, 60)
    await relay.stop()
    found = await received(settings, 60)
    assert {a.id for a in found} == {f"alert-{p}.{n}" for p in range(4) for n in range(1, 16)}
    assert_in_order(found, 15)
    store.close()
