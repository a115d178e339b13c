"""The HL7 v2 topic beside the events topic: exactly once across kills, whatever the order."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from infra.eventstore import open_store
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import create_topic
from projections.ports import Store
from tests.delivery.feed import Message, produce
from tests.delivery.test_serving import environment
from tests.hl7v2.sent import adt, pid, pv1, time_of
from tests.hl7v2.test_hl7_files import TOML
from tests.services.serving import eventually, figures, serving

PATIENTS, VISITS = 10, 30
STAY, LAST = "stay.recorded.v1", "2025-03-05"


def messages() -> list[bytes]:
    """Stays of several patients: admitted, corrected, discharged, discharge taken back and said
    again; in an order of chance, each of the last ones twice."""
    found = []
    for number in range(PATIENTS * VISITS):
        patient, visit = pid(f"h{number % PATIENTS}"), f"v{number}"
        left, later = (pv1(visit, discharged=f"2025030{day}120000") for day in (4, 5))
        story = [
            ("A01", pv1(visit)),
            ("A08", pv1(visit, admitted="20250228")),
            ("A03", left),
            ("A13", pv1(visit)),
            ("A08", left),
            ("A03", later),
            ("A03", later),
        ]
        for step, (event, segment) in enumerate(story):
            control = f"{number}-{min(step, 5)}"
            at = time_of(8 + min(step, 5))
            found.append(adt(event, patient, segment, control=control, at=at))
    random.Random(7).shuffle(found)
    return found


def standing(store: Store) -> list[dict[str, Any]]:
    """The stays that are not retracted."""
    said = [(each.name, json.loads(each.state)) for each in store.log(0, 100_000)]
    gone = {state["data"]["event_id"] for name, state in said if name == "event.retracted.v1"}
    return [state for name, state in said if name == STAY and state["id"] not in gone]


def left(store: Store) -> list[dict[str, Any]]:
    """Those of them whose last discharge was heard of."""
    return [each for each in standing(store) if each["data"].get("discharged_on") == LAST]


def test_every_message_is_taken_exactly_once_though_the_process_is_killed_and_all_comes_again(
    settings: KafkaSettings, database: str, tmp_path: Path
) -> None:
    """And a site of HL7 v2 alone is ready without a topic for FHIR."""
    fhir, hl7v2 = (settings.events_topic.replace("events", each) for each in ("fhir", "hl7v2"))
    settings = replace(settings, fhir_topic=fhir, hl7v2_topic=hl7v2)
    create_topic(settings.bootstrap, settings.hl7v2_topic, 3)
    (tmp_path / "river.toml").write_text(TOML)
    given = {
        **environment(settings, database),
        "CARETALLY_KAFKA_FHIR_TOPIC": settings.fhir_topic,
        "CARETALLY_KAFKA_HL7V2_TOPIC": settings.hl7v2_topic,
        "CARETALLY_FHIR_SITES": str(tmp_path / "river.toml"),
    }
    sent = [Message(str(n % 7).encode(), value, []) for n, value in enumerate(messages())]
    bad = [Message(b"x", b"hello", []), Message(b"y", adt("A01", pv1("odd", admitted="2025")), [])]
    produce(settings.bootstrap, settings.hl7v2_topic, [*sent[:700], *bad])
    for kill in (1, 2):
        with serving(given, "--role", "ingest") as service:
            service.base()
            store = open_store(database)
            head = store.head()
            eventually(lambda s=store, h=head: s.head() > h or s.head() > 400)  # type: ignore[misc]
            service.process.kill()
            store.close()
        produce(settings.bootstrap, settings.hl7v2_topic, sent[700 * kill : 700 * (kill + 1)])
    produce(settings.bootstrap, settings.hl7v2_topic, sent)
    with (
        serving(given, "--role", "ingest") as service,
        httpx.Client(base_url=service.base()) as client,
    ):
        store = open_store(database)
        eventually(lambda: client.get("/readyz").status_code == 200)
        eventually(lambda: len(standing(store)) == len(left(store)) == PATIENTS * VISITS, 60)
        eventually(lambda: sum(v for k, v in figures(client).items() if "lag_mess" in k) == 0, 60)
        checks = client.get("/readyz").json()["checks"]
        assert {"kafka", "kafka-hl7v2", "lag-hl7v2", "review"} <= set(checks)
        assert service.stop() == 0
    ids = Counter(json.loads(each.state)["id"] for each in store.log(0, 100_000))
    assert set(ids.values()) == {1}
    stands = standing(store)
    assert Counter(state["id"].split("/")[1] for state in stands) == {
        f"v{number}": 1 for number in range(PATIENTS * VISITS)
    }
    days = {(s["data"]["admitted_on"], s["data"].get("discharged_on")) for s in stands}
    assert days == {("2025-03-01", "2025-03-05")}
    assert sorted(each.reason for each in store.dead_letters()) == ["imprecise-date", "not-hl7v2"]
    store.close()
