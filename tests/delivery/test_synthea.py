"""Synthea's patients through real Kafka: the live read model is what replaying the file gives."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.assess import assessments
from domain.patient import Patient, evolve
from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.kafka.settings import KafkaSettings
from services.demo.vocabulary import Message, to_line
from services.wire.decode import Accepted, decode_structured
from tests.delivery.feed import binary, produce, structured
from tests.delivery.service import Service, until
from tests.synthea import synthea_events

COMMAND_SECONDS = 240


@pytest.fixture(scope="module")
def events() -> list[Message]:
    return synthea_events()


def feed_of(events: list[Message]) -> Iterator[Message]:
    """In another order than the file's, and every tenth event a second time."""
    said = [*events, *events[::10]]
    random.Random(7).shuffle(said)
    yield from said


async def ingested(settings: KafkaSettings, database: str, events: list[Message]) -> list[bytes]:
    """The read model after the product's own consumer took the events from Kafka."""
    said = enumerate(feed_of(events))
    messages = [binary(event) if n % 2 else structured(event) for n, event in said]
    await asyncio.to_thread(produce, settings.bootstrap, settings.events_topic, messages)
    async with Service(settings, database) as service:
        await until(lambda: service.door.progress.messages == len(messages), seconds=180)
        assert service.store.counts()["dead_letters"] == 0
        assert service.store.counts()["events"] == len(events)
        return list(service.store.assessments())


def folded(events: list[Message]) -> list[bytes]:
    """The same answers by nothing but the fold and `assess`, in the order of the file."""
    patients: dict[str, Patient] = {}
    for said in events:
        decoded = decode_structured(to_line(said))
        assert isinstance(decoded, Accepted), decoded
        event = decoded.event
        name = event.patient_id
        evolve(patients.setdefault(name, Patient(event.practice_id, name)), event)
    return [
        assessment_json(answer)
        for _, patient in sorted(patients.items())
        for answer in assessments(patient, BOOK, Policy())
    ]


def caretally(database: str, *arguments: str) -> list[bytes]:
    """What the command prints, line by line; it must succeed."""
    command = [sys.executable, "-m", "services.cli.main", *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARETALLY_")}
    environment = kept | {"CARETALLY_DATABASE": database}
    done = subprocess.run(command, capture_output=True, env=environment, timeout=COMMAND_SECONDS)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.splitlines()


def test_the_data_give_at_least_five_thousand_events_within_the_window(
    events: list[Message],
) -> None:
    assert len(events) >= 5000
    assert events == synthea_events()
    assert events[0]["time"] >= "2015-01-01"
    assert events[-1]["time"] < "2026-11-01"


def test_the_data_reach_every_family_and_status(events: list[Message]) -> None:
    answers = [json.loads(line) for line in folded(events)]
    families = {answer["family"] for answer in answers}
    assert families == {"complex", "practitioner", "non-complex", None}
    statuses = {answer["status"] for answer in answers}
    assert statuses == {"claimed", "diverged", "billable", "blocked", "accruing"}


async def test_the_read_model_is_the_fold_byte_for_byte_whatever_order_kafka_gave(
    settings: KafkaSettings, database: str, events: list[Message]
) -> None:
    assert await ingested(settings, database, events) == folded(events)


async def test_assessments_prints_what_replay_prints_byte_for_byte(
    settings: KafkaSettings, database: str, events: list[Message], tmp_path: Path
) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(map(to_line, events)))
    await ingested(settings, database, events)
    live = caretally(database, "assessments")
    assert live == caretally(database, "replay", str(file))
    assert len(live) > 1000
    whole = caretally(database, "assessments", "--all-months")
    assert whole == caretally(database, "replay", str(file), "--all-months")
    assert set(live) < set(whole)
