"""The FHIR topic beside the events topic: exactly once across kills, a group for each door."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import httpx

from infra.eventstore import open_store
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import create_topic
from tests.delivery.feed import Message, produce
from tests.delivery.test_serving import environment
from tests.fhir.made import chart, raw, task, to_patient
from tests.fhir.test_files import PROFILE
from tests.services.serving import eventually, figures, serving

PATIENTS, CALLS = 12, 40


def with_fhir(settings: KafkaSettings, database: str, folder: Path) -> dict[str, str]:
    (folder / "river.toml").write_text(PROFILE.format(subject="id"))
    return {
        **environment(settings, database),
        "CARETALLY_KAFKA_FHIR_TOPIC": settings.fhir_topic,
        "CARETALLY_FHIR_SITES": str(folder / "river.toml"),
    }


def resources() -> list[dict[str, object]]:
    """Charts and calls of several patients, each call in two versions, the later one first."""
    found: list[dict[str, object]] = []
    for n in range(PATIENTS):
        for each in chart():
            whose = "patient" if "patient" in each else "subject"
            found.append({**each, "id": f"{each['id']}-{n}", whose: to_patient(f"f{n}")})
        for call in range(CALLS):
            patient = {"for": to_patient(f"f{n}")}
            name = f"c{n}-{call}"
            start = f"2025-03-{call % 28 + 1:02d}T{10 + call // 28}:00:00-05:00"
            whole = {"start": start, "end": start.replace(":00:00-", ":02:00-")}
            half = {"start": start, "end": start.replace(":00:00-", ":01:00-")}
            late = {"meta": {"versionId": "2", "lastUpdated": "2025-04-01T00:00:00Z"}}
            first = {"meta": {"versionId": "1", "lastUpdated": "2025-03-31T00:00:00Z"}}
            found.append({**task(name), **patient, "executionPeriod": whole, **late})
            found.append({**task(name), **patient, "executionPeriod": half, **first})
    return found


def test_every_resource_is_taken_exactly_once_though_the_process_is_killed_and_all_comes_again(
    settings: KafkaSettings, database: str, tmp_path: Path
) -> None:
    settings = replace(settings, fhir_topic=settings.events_topic.replace("events", "fhir"))
    create_topic(settings.bootstrap, settings.fhir_topic, 3)
    given = with_fhir(settings, database, tmp_path)
    messages = [Message(str(n % 7).encode(), raw(r), []) for n, r in enumerate(resources())]
    bad = [Message(b"x", b"{", []), Message(b"y", raw(task("odd", owner=None)), [])]
    produce(settings.bootstrap, settings.fhir_topic, [*messages[:400], *bad])
    for kill in (1, 2):
        with serving(given, "--role", "ingest") as service:
            service.base()
            store = open_store(database)
            head = store.head()
            eventually(lambda s=store, h=head: s.head() > h or s.head() > 300)  # type: ignore[misc]
            service.process.kill()
            store.close()
        produce(settings.bootstrap, settings.fhir_topic, messages[400 * kill : 400 * (kill + 1)])
    produce(settings.bootstrap, settings.fhir_topic, messages[1_200:])
    produce(settings.bootstrap, settings.fhir_topic, messages)
    with (
        serving(given, "--role", "ingest") as service,
        httpx.Client(base_url=service.base()) as client,
    ):
        store = open_store(database)
        wanted = PATIENTS * (6 + CALLS)
        eventually(lambda: store.head() >= wanted, 60)
        eventually(lambda: client.get("/readyz").status_code == 200)
        eventually(lambda: sum(v for k, v in figures(client).items() if "lag_mess" in k) == 0, 60)
        checks = client.get("/readyz").json()["checks"]
        assert {"kafka", "kafka-fhir", "lag", "lag-fhir", "review"} <= set(checks)
        assert service.stop() == 0
    ids = Counter(json.loads(stored.state)["id"] for stored in store.log(0, 100_000))
    assert set(ids.values()) == {1}
    answers = [json.loads(answer) for answer in store.assessments()]
    assert {a["patient_id"]: a["seconds"]["logged"] for a in answers} == {
        f"f{n}": CALLS * 120 for n in range(PATIENTS)
    }
    assert {letter.reason for letter in store.dead_letters()} == {"not-json", "unknown-person"}
    assert len(store.dead_letters()) == 2
    store.close()
