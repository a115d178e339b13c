"""A foreign EHR: CloudEvents written with another client library, good ones and bad ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from confluent_kafka import Producer

PRACTICE = "p1"
LAST_DAY = datetime.now(UTC).date().replace(day=1) - timedelta(days=1)
"""Of the last whole month: processes under test go by the real clock, and no alert is delivered
for a month long over. No patient stays on into the current one, where days are few sometimes."""
MONTH = LAST_DAY.isoformat()[:7]

Json = dict[str, object]
Headers = list[tuple[str, str | bytes | None]]


@dataclass(frozen=True, slots=True)
class Message:
    key: bytes | None
    value: bytes | None
    headers: Headers


def cloud(patient: str, kind: str, id: str, time: str, data: Json) -> Json:
    """One CloudEvent of the contract as JSON members."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": "urn:test:ehr",
        "type": f"{kind}.v1",
        "practiceid": PRACTICE,
        "subject": patient,
        "time": time,
        "data": data,
    }


def structured(event: Json) -> Message:
    content = ("content-type", b"application/cloudevents+json; charset=UTF-8")
    return Message(_key(event), json.dumps(event).encode(), [content])


def binary(event: Json) -> Message:
    headers: Headers = [
        (f"ce_{name}", str(value).encode()) for name, value in event.items() if name != "data"
    ]
    headers.append(("content-type", b"application/json"))
    return Message(_key(event), json.dumps(event["data"]).encode(), headers)


def _key(event: Json) -> bytes:
    return f"{event['practiceid']}/{event['subject']}".encode()


def staff_time(patient: str, number: int, seconds: int = 300) -> Json:
    """Staff time number `number` of a patient, unique by its number."""
    data: Json = {
        "entry_id": f"t{number}",
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "care_coordination",
        "performed_on": f"{MONTH}-{number % 28 + 1:02d}",
        "seconds": seconds,
    }
    on = data["performed_on"]
    return cloud(patient, "time.logged", f"{patient}-t{number}", f"{on}T23:00:00Z", data)


def ready(patient: str) -> list[Json]:
    """Everything a month needs, so that time alone decides."""
    on, npi = f"{MONTH}-01", "1000000004"
    facts: list[tuple[str, Json]] = [
        (
            "patient.enrolled",
            {
                "effective_on": on,
                "timezone": "America/New_York",
                "billing_practitioner": {"npi": npi, "credential": "MD"},
            },
        ),
        ("visit.recorded", {"on": on, "hcpcs": "99214", "npi": npi}),
        ("consent.recorded", {"consented_on": on, "method": "written", "npi": npi}),
        ("condition.recorded", {"code": "I10", "chronic": True}),
        ("condition.recorded", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded", {"action": "established", "on": on}),
        ("patient.disenrolled", {"effective_on": LAST_DAY.isoformat(), "reason": "moved away"}),
    ]
    return [
        cloud(patient, kind, f"{patient}-f{number}", f"{on}T17:00:00Z", data)
        for number, (kind, data) in enumerate(facts)
    ]


def mixed(count: int, patients: int = 20, start: int = 0) -> list[Message]:
    """`count` good messages over patients, structured and binary in turn."""
    events = [staff_time(f"pt{n % patients}", n) for n in range(start, start + count)]
    return [binary(e) if n % 2 else structured(e) for n, e in enumerate(events)]


def broken(number: int) -> Message:
    """A message that no feed should send."""
    return Message(f"p1/bad{number}".encode(), b"{not json %d" % number, [])


def with_broken(messages: Iterable[Message], every: int) -> tuple[list[Message], int]:
    """The messages with a broken one after each `every`th; and how many broken there are."""
    mixture: list[Message] = []
    bad = 0
    for number, message in enumerate(messages, 1):
        mixture.append(message)
        if number % every == 0:
            mixture.append(broken(number))
            bad += 1
    return mixture, bad


def produce(bootstrap: str, topic: str, messages: Sequence[Message]) -> None:
    """Send all and wait for every acknowledgement; an unacknowledged one is an error."""
    failed: list[object] = []
    producer = Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 2}
    )
    for message in messages:
        producer.produce(
            topic,
            key=message.key,
            value=message.value,
            headers=message.headers,
            on_delivery=lambda error, _: failed.append(error) if error else None,
        )
        producer.poll(0)
    assert producer.flush(60) == 0
    assert not failed
