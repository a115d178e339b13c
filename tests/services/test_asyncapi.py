"""The AsyncAPI document: whole, true; its examples pass their schemas and the product itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from pydantic import SecretStr
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from domain.event import Event
from infra.settings import Settings
from infra.transparency import checkpoint_of
from services.asyncapi import document
from services.asyncapi.examples import SIGNER, events, sent
from services.wire.decode import Accepted, decode_message
from services.wire.models import DATA_OF_TYPE
from tests.services.serving import clean

Part = dict[str, Any]


@pytest.fixture(scope="module")
def found() -> Part:
    made: Part = json.loads(json.dumps(document(Settings())))
    return made


def validator(found: Part, schema: Part) -> Draft7Validator:
    """For a schema inside the document, whose references point into the document."""
    name = "urn:document"
    registry: Registry[Any] = Registry().with_resource(
        name, Resource.from_contents(found, default_specification=DRAFT7)
    )
    pointed = json.loads(json.dumps(schema).replace('"#/', f'"{name}#/'))
    return Draft7Validator(pointed, registry=registry, format_checker=FormatChecker())


def validate(found: Part, schema: Part, instance: object) -> None:
    validator(found, schema).validate(instance)


def messages(found: Part) -> Iterator[tuple[str, Part]]:
    yield from found["components"]["messages"].items()


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def at(found: Part, pointer: str) -> object:
    part: Any = found
    for step in pointer.removeprefix("#/").split("/"):
        part = part[step]
    return part


def test_every_type_is_described_in_both_modes_and_every_reference_leads_somewhere(
    found: Part,
) -> None:
    names = {name for name, _ in messages(found)}
    inbound = {type + mode for type in DATA_OF_TYPE for mode in ("", ".binary")}
    assert names == inbound | {"alert", "alert-state", "assessment", "checkpoint"}
    told = {
        reference.rpartition("/")[2]
        for channel in found["channels"].values()
        for reference in references(channel["messages"])
    }
    assert told == names
    for reference in references(found):
        at(found, reference)
    for schema in found["components"]["schemas"].values():
        Draft7Validator.check_schema(schema)


def test_every_example_passes_its_schemas(found: Part) -> None:
    for _, message in messages(found):
        assert message["examples"]
        for example in message["examples"]:
            validate(found, message["payload"], example["payload"])
            if "headers" in message:
                validate(found, message["headers"], example["headers"])


def test_the_product_takes_every_inbound_example_in_either_mode_as_the_same_event(
    found: Part,
) -> None:
    taken: dict[tuple[str, str], list[Event]] = {}
    for name, message in messages(found):
        if name.partition(".binary")[0] not in DATA_OF_TYPE:
            continue
        for example in message["examples"]:
            value = json.dumps(example["payload"]).encode()
            headers = example.get("headers") or {"content-type": message["contentType"]}
            decoded = decode_message(value, [(n, v.encode()) for n, v in headers.items()])
            assert isinstance(decoded, Accepted), (name, decoded)
            taken.setdefault(decoded.event.key, []).append(decoded.event)
    assert all(len(events) == 2 and events[0] == events[1] for events in taken.values())


@pytest.mark.parametrize(
    ("change", "at_member"),
    [
        ({"seconds": None}, "one form of work"),
        ({"started_at": "2025-03-05T10:00:00Z"}, "both forms of work"),
        ({"entry_id": ""}, "an empty id"),
        ({"performer": {"id": "rn1", "role": "nurse"}}, "an unknown role"),
        ({"performed_on": 20250305}, "a number for a date"),
    ],
)
def test_what_the_product_refuses_for_its_form_fails_the_schema(
    found: Part, change: Part, at_member: str
) -> None:
    message = dict(messages(found))["time.logged.v1"]
    event = next(e["payload"] for e in message["examples"] if "seconds" in e["payload"]["data"])
    bad = event | {"data": event["data"] | change}
    assert not isinstance(decode_message(json.dumps(bad).encode(), []), Accepted), at_member
    with pytest.raises(ValidationError):
        validate(found, message["payload"], bad)


def test_the_alerts_schema_names_exactly_the_members_that_are_sent(found: Part) -> None:
    body = json.loads(sent().alert.body)
    schema = found["components"]["schemas"]["alert"]
    assert list(body) == list(schema["properties"]) == schema["required"]


def test_topics_and_keys_are_those_of_the_settings() -> None:
    settings = Settings(
        kafka="broker:9093,other:9093",
        kafka_security_protocol="SASL_SSL",
        kafka_sasl_username="u",
        kafka_sasl_password=SecretStr("not to be shown"),
        kafka_events_topic="in",
        kafka_alert_state_topic="",
    )
    found = document(settings)
    assert {c["address"] for c in found["channels"].values()} == {
        "in",
        "ccm.alerts.v1",
        "ccm.assessments.v1",
        "ccm.checkpoints.v1",
    }
    operations = {"receiveEvents", "sendAlerts", "sendAssessments", "sendCheckpoints"}
    assert set(found["operations"]) == operations
    assert found["servers"]["kafka"]["host"] == "broker:9093"
    assert found["servers"]["kafka"]["protocol"] == "kafka-secure"
    assert found["components"]["securitySchemes"] == {"sasl": {"type": "scramSha512"}}
    assert "not to be shown" not in json.dumps(found)
    compacted = found["channels"]["assessments"]["bindings"]["kafka"]["topicConfiguration"]
    assert compacted == {"cleanup.policy": ["compact"]}


def test_the_checkpoint_is_signed_and_its_schema_takes_no_other_text(found: Part) -> None:
    """One partition, kept for ever; every line has its form."""
    (example,) = found["components"]["messages"]["checkpoint"]["examples"]
    note, schema = example["payload"], found["components"]["schemas"]["checkpoint"]
    checkpoint = checkpoint_of(SIGNER.verifier.open(note))
    assert checkpoint.origin == SIGNER.name
    assert checkpoint.size > len(list(events()))  # merged records carry some over
    for bad in (note.partition("\n")[2], note.replace("time", "at"), note + "more"):
        with pytest.raises(ValidationError):
            validate(found, schema, bad)
    validate(found, schema, SIGNER.sign(replace(checkpoint, access_head=checkpoint.root).text()))
    binding = found["channels"]["checkpoints"]["bindings"]["kafka"]
    assert binding["partitions"] == 1
    kept = {"cleanup.policy": ["delete"], "retention.ms": -1}
    assert binding["topicConfiguration"] == kept
    without = document(Settings(kafka_checkpoints_topic=""))
    assert "checkpoints" not in without["channels"]


def test_the_command_prints_the_document(found: Part) -> None:
    command = [sys.executable, "-m", "services.cli.main", "asyncapi"]
    done = subprocess.run(command, capture_output=True, env=clean({}), timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout) == found
