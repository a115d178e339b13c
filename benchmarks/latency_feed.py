"""The feed of the latency measurement, as a process of its own: charts at once, then time entries
at a steady rate. `python -m benchmarks.latency_feed BOOTSTRAP TOPIC RATE SECONDS FOLDER`.

Every patient gets nine clocked entries of 400 seconds, so that every third one reaches a unit of a
code and raises an alert. All lies in the last whole month: no alert is delivered for older ones.
"""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from confluent_kafka import Producer

from services.demo.vocabulary import Data, Message, clocked, message, performer, to_line

SOURCE = "/ehr/latency"
NPI = "1000000004"
ENTRIES = 9
ENTRY_SECONDS = 400
SLEEP_SECONDS = 0.001


def last_day_of_last_month() -> date:
    return datetime.now(UTC).date().replace(day=1) - timedelta(days=1)


def charts(patients: int, month: date) -> Iterator[Message]:
    """What lets time alone decide. Nobody stays on into the current month."""
    on = month.replace(day=1).isoformat()
    facts: tuple[tuple[str, Data], ...] = (
        (
            "patient.enrolled",
            {
                "effective_on": on,
                "timezone": "America/New_York",
                "billing_practitioner": {"npi": NPI, "credential": "MD"},
            },
        ),
        ("visit.recorded", {"on": on, "hcpcs": "99214", "npi": NPI}),
        ("consent.recorded", {"consented_on": on, "method": "written", "npi": NPI}),
        ("condition.recorded", {"code": "I10", "chronic": True}),
        ("condition.recorded", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded", {"action": "established", "on": on}),
        ("patient.disenrolled", {"effective_on": month.isoformat(), "reason": "moved"}),
    )
    at = datetime(month.year, month.month, 1, 17, tzinfo=UTC)
    for patient in range(patients):
        for number, (type, data) in enumerate(facts):
            yield _said(patient, f"f{number}", type, at, data)


def entries(count: int, patients: int, month: date, rng: random.Random) -> Iterator[Message]:
    """`count` time entries in a random order of patients, none of whom gets more than nine."""
    order = [patient for patient in range(patients) for _ in range(ENTRIES)][:count]
    rng.shuffle(order)
    had = [0] * patients
    for number, patient in enumerate(order):
        at = datetime(month.year, month.month, 2 + had[patient], 15, tzinfo=UTC)
        had[patient] += 1
        nurse = performer(f"rn{patient}", "clinical_staff")
        data = clocked(f"t{number}", nurse, "care_coordination", at, ENTRY_SECONDS)
        yield _said(patient, f"t{number}", "time.logged", at + timedelta(hours=1), data)


def _said(patient: int, name: str, type: str, at: datetime, data: Data) -> Message:
    subject = f"pt-{patient:05d}"
    id = name if name.startswith("t") else f"{subject}-{name}"
    return message(
        id=id, source=SOURCE, type=type, practice="p1", patient=subject, time=at, data=data
    )


def feed(bootstrap: str, topic: str, rate: int, seconds: float, folder: Path) -> None:
    """Send the charts and say so in a file; go on when told to; leave the times of sending."""
    count = int(rate * seconds)
    patients = -(-count // ENTRIES)
    month = last_day_of_last_month()
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 0})
    for event in charts(patients, month):
        _produce(producer, topic, event["subject"], to_line(event))
    producer.flush(60)
    lines = [
        (event["id"], event["subject"], to_line(event))
        for event in entries(count, patients, month, random.Random(1))
    ]
    (folder / "charted").touch()
    while not (folder / "go").exists():
        time.sleep(0.05)
    sent: dict[str, int] = {}
    began = time.perf_counter()
    for number, (id, patient, line) in enumerate(lines):
        while (ahead := began + number / rate - time.perf_counter()) > 0:
            producer.poll(0)
            time.sleep(min(ahead, SLEEP_SECONDS))
        sent[id] = time.time_ns()
        _produce(producer, topic, patient, line)
    producer.flush(60)
    took = time.perf_counter() - began
    (folder / "sent.json").write_text(json.dumps({"sent": sent, "rate": len(lines) / took}))


def _produce(producer: Producer, topic: str, patient: str, line: bytes) -> None:
    while True:
        try:
            producer.produce(topic, line, key=f"p1/{patient}".encode())
            producer.poll(0)
            return
        except BufferError:
            producer.poll(0.1)


if __name__ == "__main__":
    where, what, how_many, how_long, out = sys.argv[1:]
    feed(where, what, int(how_many), float(how_long), Path(out))
