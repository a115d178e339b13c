"""`caretally serve` as a process over a real broker: exact across every kind of stop."""

from __future__ import annotations

import json
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from aiokafka.errors import KafkaError

from infra.eventstore import open_store
from infra.kafka.local import LocalKafka
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import create_topic
from projections.ports import Store
from tests.delivery.conftest import fresh
from tests.delivery.feed import (
    Message,
    mixed,
    produce,
    ready,
    staff_time,
    structured,
    with_broken,
)
from tests.delivery.service import assert_exactly_once
from tests.delivery.subscriber import alerts
from tests.services.serving import eventually, figures, serving

TOPICS = ("in", "out", "state", "months")


def environment(settings: KafkaSettings, database: str) -> dict[str, str]:
    return {
        "CARETALLY_DATABASE": database,
        "CARETALLY_HTTP": "127.0.0.1:0",
        "CARETALLY_KAFKA": settings.bootstrap,
        "CARETALLY_KAFKA_EVENTS_TOPIC": settings.events_topic,
        "CARETALLY_KAFKA_ALERTS_TOPIC": settings.alerts_topic,
        "CARETALLY_KAFKA_ALERT_STATE_TOPIC": settings.alert_state_topic,
        "CARETALLY_KAFKA_ASSESSMENTS_TOPIC": settings.assessments_topic,
        "CARETALLY_KAFKA_GROUP_ID": settings.group_id,
        "CARETALLY_KAFKA_SESSION_TIMEOUT_MS": str(settings.session_timeout_ms),
        "CARETALLY_KAFKA_EVENTS_PARTITIONS": "3",
        "CARETALLY_KAFKA_ALERTS_PARTITIONS": "2",
    }


@contextmanager
def stored(database: str) -> Iterator[Store]:
    store = open_store(database)
    try:
        yield store
    finally:
        store.close()


def events_in(database: str) -> int:
    if not Path(database.removeprefix("sqlite:///")).exists():
        return 0
    with stored(database) as store:
        return store.counts()["events"]


def earned(patients: int) -> list[Message]:
    """What earns 99490 for each of these patients."""
    events = [e for n in range(patients) for e in ready(f"e{n}")]
    events += [staff_time(f"e{n}", 1, 1200) for n in range(patients)]
    return [structured(event) for event in events]


def test_events_become_assessments_and_alerts_on_topics_that_it_makes(
    kafka: str, database: str
) -> None:
    name = uuid.uuid4().hex[:8]
    settings = KafkaSettings(
        kafka,
        events_topic=f"in-{name}",
        alerts_topic=f"out-{name}",
        alert_state_topic=f"state-{name}",
        assessments_topic=f"months-{name}",
        group_id=name,
    )
    with (
        serving(environment(settings, database), "--create-topics") as service,
        httpx.Client(base_url=service.base()) as client,
    ):
        created = {line["message"] for line in service.log if "created" in line["message"]}
        assert created == {f"topic {topic}-{name} created" for topic in TOPICS}
        produce(kafka, settings.events_topic, [*earned(4), Message(b"x", b"{", [])])
        found = alerts(settings, lambda some: len(some) >= 4)
        assert {(a.key, json.loads(a.value or b"")["code"]) for a in found} >= {
            (f"p1/e{n}".encode(), "99490") for n in range(4)
        }
        eventually(lambda: client.get("/readyz").status_code == 200)
        assert set(client.get("/readyz").json()["checks"]) >= {
            "process",
            "database",
            "kafka",
            "lag",
            f"kafka:out-{name}",
            f"kafka:state-{name}",
            f"kafka:months-{name}",
        }
        channels = client.get("/asyncapi.json").json()["channels"].values()
        told_of = {f"{topic}-{name}" for topic in TOPICS} | {"ccm.checkpoints.v1"}
        assert {c["address"] for c in channels} == told_of
        eventually(lambda: sum(lags(client).values()) == 0 and len(lags(client)) == 3)
        told = figures(client)
        assert told["caretally_events_accepted_total"] == 32
        assert told['caretally_dead_letters_total{reason="not-json"}'] == 1
        assert told[f'caretally_transitions_sent_total{{sink="kafka:out-{name}"}}'] == len(found)
        assert told[f'caretally_sink_outage{{sink="kafka:out-{name}"}}'] == 0
        assert service.stop() == 0


def lags(client: httpx.Client) -> dict[str, float]:
    return {n: v for n, v in figures(client).items() if n.startswith("caretally_lag_messages")}


def test_a_stop_under_load_is_quick_and_the_next_start_goes_on_exactly(
    settings: KafkaSettings, database: str
) -> None:
    messages, bad = with_broken([*earned(20), *mixed(12_000, patients=200)], every=50)
    good = len(messages) - bad
    feeding = threading.Thread(
        target=produce, args=(settings.bootstrap, settings.events_topic, messages)
    )
    feeding.start()
    stops: list[float] = []
    while events_in(database) < good:
        seen = events_in(database)
        with serving(environment(settings, database)) as service:
            service.base()
            eventually(lambda seen=seen: events_in(database) > min(seen + 2500, good - 1))
            began = time.monotonic()
            assert service.stop() == 0
            stops.append(time.monotonic() - began)
    feeding.join()
    assert len(stops) >= 3
    assert max(stops) < 10
    with stored(database) as store:
        assert_exactly_once(store, good, bad)
        decided = store.transitions(0, 100_000)
        found = alerts(settings, lambda some: len(some) >= len(decided))
        ids = [alert.id for alert in found]
        assert set(ids) == {f"{t.state.alert_id}.{t.state.transition}" for t in decided}
        # After an orderly stop the ledger is where the topic is: nothing is sent a second time.
        assert len(ids) == len(set(ids))


@pytest.fixture
def frozen(broker: LocalKafka) -> Iterator[LocalKafka]:
    """A broker that a test may freeze; afterwards it is thawed, and waited for."""
    yield broker
    broker.resume()
    eventually(lambda: takes_orders(broker.bootstrap))


def takes_orders(bootstrap: str) -> bool:
    """A broker that was frozen for long has to be registered again before it does anything."""
    try:
        create_topic(bootstrap, f"probe-{uuid.uuid4().hex}", 1)
    except (KafkaError, AttributeError):  # the latter where the client finds no controller
        return False
    return True


def test_a_second_signal_does_not_wait_for_a_frozen_broker_and_nothing_is_lost(
    frozen: LocalKafka, database: str
) -> None:
    settings = fresh(frozen.bootstrap)
    produce(settings.bootstrap, settings.events_topic, mixed(2000))
    with serving(environment(settings, database)) as service:
        service.base()
        eventually(lambda: events_in(database) == 2000)
        produce(settings.bootstrap, settings.events_topic, mixed(3000, start=2000))
        frozen.pause()
        service.process.send_signal(signal.SIGTERM)
        service.until("stopping")
        assert service.stop(seconds=1.5) == 128 + signal.SIGTERM
    frozen.resume()
    with serving(environment(settings, database)) as service:
        service.base()
        eventually(lambda: events_in(database) == 5000)
        assert service.stop() == 0
    with stored(database) as store:
        assert_exactly_once(store, 5000, 0)


def test_a_start_on_a_frozen_broker_can_be_stopped_in_order(
    frozen: LocalKafka, database: str
) -> None:
    settings = fresh(frozen.bootstrap)
    frozen.pause()
    for options in ((), ("--create-topics",)):
        with serving(environment(settings, database), *options) as service:
            service.until("HTTP is served at")
            time.sleep(1)
            assert service.stop(seconds=10) == 0


def test_with_a_frozen_broker_it_is_not_ready_not_dead_takes_http_and_stops_in_time(
    frozen: LocalKafka, database: str
) -> None:
    settings = fresh(frozen.bootstrap)
    with (
        serving(environment(settings, database)) as service,
        httpx.Client(base_url=service.base(), timeout=10) as client,
    ):
        produce(settings.bootstrap, settings.events_topic, earned(3))
        alerts(settings, lambda some: len(some) >= 3)
        eventually(lambda: client.get("/readyz").status_code == 200)
        frozen.pause()
        eventually(lambda: client.get("/readyz").status_code == 503, 40)
        checks = client.get("/readyz").json()["checks"]
        assert not checks["kafka"]["ok"]
        assert checks["kafka"]["finding"]
        assert checks["database"]["ok"]
        assert client.get("/livez").status_code == 200
        events = [json.loads(message.value or b"") for message in earned(9)]
        batch = {"content-type": "application/cloudevents-batch+json"}
        assert client.post("/api/v1/events", json=events, headers=batch).status_code == 202
        time.sleep(0.5)
        assert service.stop(seconds=10) == 0
        assert all("error" not in line for line in service.rest_of_log())
    frozen.resume()
    with serving(environment(settings, database)) as service:
        service.base()
        with stored(database) as store:
            wanted = {
                f"{t.state.alert_id}.{t.state.transition}" for t in store.transitions(0, 1000)
            }
        found = alerts(settings, lambda some: {a.id for a in some} >= wanted)
        assert {a.key for a in found} == {f"p1/e{n}".encode() for n in range(9)}
        assert service.stop() == 0
