"""The compacted topics: the latest value of each key is what the store holds, whatever happens."""

from __future__ import annotations

import asyncio
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.eventstore import open_store
from infra.eventstore.rebuilding import open_rebuilding
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import COMPACTED, create_topic
from projections.ports import Store
from services import relay
from services.ingest import Delivery, Ingest
from services.notify.deliverable import deliverable
from services.outboxes import Assessments, Due
from services.rebuilding import Remaker, rebuild
from services.relay import TopicRelay, relays
from tests.delivery.feed import MONTH, Json, Message, cloud, produce, ready, staff_time, structured
from tests.delivery.service import until
from tests.delivery.subscriber import Alert, latest, records
from tests.delivery.test_serving import earned, environment, events_in, stored
from tests.services.serving import eventually, serving


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


def take(store: Store, events: list[Json]) -> None:
    deliveries = [
        Delivery(m.value, m.key, tuple((n, _bytes(v)) for n, v in m.headers), "test")
        for m in map(structured, events)
    ]
    outcome = Ingest(store, system_clock, BOOK, lambda _: Policy()).take(deliveries)
    assert outcome.dead_lettered == 0


def _bytes(value: str | bytes | None) -> bytes:
    return value if isinstance(value, bytes) else (value or "").encode()


def voided(event: Json) -> Json:
    """The entry of this event withdrawn, as entered in error."""
    data: Json = {"event_source": event["source"], "event_id": event["id"], "reason": "error"}
    return cloud(
        str(event["subject"]), "event.retracted", f"x-{event['id']}", str(event["time"]), data
    )


def assessments_of(store: Store) -> dict[str, dict[str, Any]]:
    """What the store holds, by the topic's key, without the number that other months move too."""
    found = {}
    for line in store.assessments():
        answer = json.loads(line)
        answer.pop("stream_version")
        found[f"{answer['practice_id']}/{answer['patient_id']}/{answer['month']}"] = answer
    return found


def states_of(store: Store) -> dict[str, bytes]:
    """The last deliverable transition of each alert."""
    return {row.state.alert_id: row.body for row in deliverable(store, 0, 1_000_000).rows}


def assert_topics_hold_what_the_store_holds(settings: KafkaSettings, store: Store) -> list[Alert]:
    """Reads both topics until they do; gives the records of the assessments' topic."""
    months, states = assessments_of(store), states_of(store)
    assert months
    assert states
    found = records(
        settings.bootstrap,
        settings.assessments_topic,
        lambda some: without_version(latest(some)) == months,
    )
    records(settings.bootstrap, settings.alert_state_topic, lambda some: latest(some) == states)
    return found


def without_version(values: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
    answers = {key: json.loads(value) for key, value in values.items()}
    for answer in answers.values():
        answer.pop("stream_version")
    return answers


def burst(patients: int, start: int) -> list[Message]:
    """Time for every patient, some of it withdrawn again, in many batches' worth of messages."""
    entries = [staff_time(f"e{n}", start + k, 400) for k in range(12) for n in range(patients)]
    return [structured(e) for e in entries] + [structured(voided(e)) for e in entries[::3]]


def test_after_a_burst_kills_and_a_restart_the_latest_values_are_the_stores(
    settings: KafkaSettings, database: str
) -> None:
    """The serving process is killed twice in the middle of a burst."""
    messages = [*earned(30), *burst(30, 10), *burst(30, 40)]
    feeding = threading.Thread(
        target=produce, args=(settings.bootstrap, settings.events_topic, messages)
    )
    feeding.start()
    for seen in (100, 500):
        with serving(environment(settings, database)) as service:
            service.base()
            eventually(lambda seen=seen: events_in(database) > seen)
            service.process.send_signal(signal.SIGKILL)
            service.process.wait()
    feeding.join()
    with serving(environment(settings, database)) as service:
        service.base()
        eventually(lambda: events_in(database) >= len(messages))
        with stored(database) as store:
            assert_topics_hold_what_the_store_holds(settings, store)
            stand = {json.loads(body)["state"] for body in states_of(store).values()}
            assert stand == {"raised", "resolved"}
        assert service.stop() == 0


async def test_a_correction_updates_the_states_and_a_month_without_ground_is_a_tombstone(
    settings: KafkaSettings, store: Store
) -> None:
    entry, alone = staff_time("pt1", 1, 1200), staff_time("stray", 1)
    take(store, [*ready("pt1"), entry, staff_time("pt1", 2), alone])
    running = relays(settings, store)
    for one in running:
        await one.start()
    read = (settings, store)
    await asyncio.to_thread(assert_topics_hold_what_the_store_holds, *read)
    reached = [json.loads(body) for body in states_of(store).values()]
    assert {(a["type"], a["state"]) for a in reached} >= {("threshold.reached", "raised")}
    take(store, [voided(entry), voided(alone)])
    found = await asyncio.to_thread(assert_topics_hold_what_the_store_holds, *read)
    for one in running:
        await one.stop()
    assert json.loads(latest(found)[f"p1/pt1/{MONTH}"])["status"] == "accruing"
    assert [r.key for r in found if r.value is None] == [f"p1/stray/{MONTH}".encode()]
    resolved = [json.loads(body) for body in states_of(store).values()]
    assert ("threshold.reached", "resolved", 2) in {
        (a["type"], a["state"], a["transition"]) for a in resolved
    }
    first = next(r for r in found if r.key == f"p1/pt1/{MONTH}".encode())
    answer = json.loads(first.value or b"")
    assert first.headers == {
        "ce_specversion": b"1.0",
        "ce_source": b"caretally",
        "ce_id": f"p1/pt1/{MONTH}@{answer['stream_version']}".encode(),
        "ce_type": b"assessment.v1",
        "ce_subject": b"pt1",
        "ce_practiceid": b"p1",
        "content-type": b"application/json",
    }


async def test_a_rebuild_has_every_month_sent_again_and_what_was_left_over_taken_back(
    settings: KafkaSettings, store: Store
) -> None:
    take(store, [e for n in range(3) for e in (*ready(f"pt{n}"), staff_time(f"pt{n}", 1, 1200))])
    running = relays(settings, store)
    for one in running:
        await one.start()
    await asyncio.to_thread(assert_topics_hold_what_the_store_holds, settings, store)
    port = open_rebuilding(store)
    with port._transaction(True) as c:  # type: ignore[attr-defined]
        c.execute("UPDATE assessments SET month = '2031-01' WHERE patient_id = 'pt1'")
        c.execute("UPDATE assessments SET body = '{}' WHERE patient_id = 'pt2'")
    take(store, [staff_time("pt3", 1)])
    rebuild(port, Remaker(BOOK, lambda _: Policy()), "rules")
    found = await asyncio.to_thread(assert_topics_hold_what_the_store_holds, settings, store)
    for one in running:
        await one.stop()
    assert [r.key for r in found if r.value is None] == [b"p1/pt1/2031-01"]


class Slow(Assessments):
    """Waits between reading and sending, as a process that is frozen there does."""

    def __init__(self, topic: str, store: Store) -> None:
        super().__init__(topic, store)
        self.read, self.go_on = threading.Event(), threading.Event()

    def due(self, after: int, limit: int) -> Due:
        found = super().due(after, limit)
        if found.messages:
            self.read.set()
            assert self.go_on.wait(30)
        return found


async def test_what_a_displaced_relay_read_long_ago_never_follows_what_a_newer_one_sent(
    settings: KafkaSettings, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused by Kafka, stands by, and takes over once nobody serves the topic."""
    monkeypatch.setattr(relay, "STAND_BY_SECONDS", 0.3)
    topic = f"{settings.assessments_topic}-shared"
    create_topic(settings.bootstrap, topic, 2, COMPACTED)
    take(store, [*ready("pt1"), staff_time("pt1", 1)])
    slow = Slow(topic, store)
    first = TopicRelay(settings, store, slow)
    await first.start()
    await asyncio.to_thread(slow.read.wait, 30)
    take(store, [staff_time("pt1", 2)])
    second = TopicRelay(settings, store, Assessments(topic, store))
    await second.start()
    await until(lambda: second.sent == 1)
    slow.go_on.set()
    await until(lambda: first._displaced and first.ready() == (True, ""))
    await second.stop()
    take(store, [staff_time("pt1", 3)])
    await until(lambda: first.sent == 1)
    await first.stop()
    found = await asyncio.to_thread(records, settings.bootstrap, topic, lambda some: len(some) >= 2)
    assert [json.loads(r.value or b"")["seconds"]["logged"] for r in found] == [600, 900]
