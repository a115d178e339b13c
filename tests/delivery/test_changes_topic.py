"""A database's changes from Kafka: exactly once across kills, repetition and other orders."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import httpx

from infra.eventstore import open_store
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import create_topic
from tests.delivery.feed import Message, produce
from tests.delivery.test_serving import environment
from tests.rows.changed import MS, change, row, wrapped
from tests.services.serving import eventually, figures, serving

ROWS, VERSIONS, PATIENTS = 120, 4, 5

MAPPING = Path(__file__).parents[2] / "examples" / "timer-database.toml"


def message(number: int, envelope: dict[str, Any] | None) -> Message:
    body = None if envelope is None else json.dumps(wrapped(envelope)).encode()
    return Message(json.dumps({"payload": {"id": number}}).encode(), body, [])


def entry(number: int, minutes: int) -> dict[str, Any]:
    began = MS * 1_000 - 3_600_000_000 * (number // PATIENTS + 2)
    times = {"began": began, "ended": began + minutes * 60_000_000}
    return {**row(number), "patient": f"pt{number % PATIENTS}", **times}


def life(number: int) -> list[Message]:
    """A row read in a snapshot or created, changed several times, every fifth deleted in the end
    with the tombstone that follows; in an order of its own."""
    first = change("r" if number % 2 else "c", entry(number, 1), lsn=number)
    found = [message(number, first)]
    for version in range(2, VERSIONS + 1):
        place = {"lsn": version * 10_000 + number, "ms": MS + version}
        found.append(message(number, change("u", entry(number, version), **place)))
    if number % 5 == 0:
        gone = change("d", None, {"id": number}, lsn=90_000 + number, ms=MS + 99)
        found += [message(number, gone), message(number, None)]
    Random(number).shuffle(found)
    return found


def test_every_row_stands_as_its_last_change_left_it_though_the_process_is_killed(
    settings: KafkaSettings, database: str
) -> None:
    topics = [settings.events_topic.replace("events", f"changes{n}") for n in (1, 2)]
    for topic in topics:
        create_topic(settings.bootstrap, topic, 3)
    given = {
        **environment(replace(settings), database),
        "CARETALLY_KAFKA_CHANGES_TOPICS": ",".join(topics),
        "CARETALLY_MAPPINGS": str(MAPPING),
    }
    messages = [each for number in range(ROWS) for each in life(number)]
    bad = [Message(b"x", b"{", []), message(9_999, change("t", lsn=5))]
    third = len(messages) // 3
    produce(settings.bootstrap, topics[0], [*messages[:third], *bad])
    with serving(given, "--role", "ingest") as service:
        service.base()
        store = open_store(database)
        eventually(lambda: store.head() > 20)
        service.process.kill()
        store.close()
    produce(settings.bootstrap, topics[0], messages[third:])
    produce(settings.bootstrap, topics[1], messages)
    with (
        serving(given, "--role", "ingest") as service,
        httpx.Client(base_url=service.base()) as client,
    ):
        store = open_store(database)
        eventually(lambda: client.get("/readyz").status_code == 200, 60)
        eventually(lambda: sum(v for k, v in figures(client).items() if "lag_mess" in k) == 0, 60)
        checks = client.get("/readyz").json()["checks"]
        assert {"kafka", "kafka-changes", "kafka-changes-2", "review"} <= set(checks)
        assert service.stop() == 0
    ids = Counter(json.loads(stored.state)["id"] for stored in store.log(0, 100_000))
    assert set(ids.values()) == {1}
    answers = [json.loads(answer) for answer in store.assessments()]
    kept = Counter(f"pt{n % PATIENTS}" for n in range(ROWS) if n % 5)
    logged: Counter[str] = Counter()
    for answer in answers:
        logged[answer["patient_id"]] += answer["seconds"]["logged"]
    assert +logged == Counter({p: count * VERSIONS * 60 for p, count in kept.items()})
    assert sorted(letter.reason for letter in store.dead_letters()) == [
        "not-json",
        "unmapped-status",
    ]
    store.close()
