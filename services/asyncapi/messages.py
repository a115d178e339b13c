"""Every message: its key, its headers, the schema of its value, examples."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from services.asyncapi import examples
from services.asyncapi.schemas import ALERT, ASSESSMENT, CHECKPOINT, Schema, data_name, ref
from services.audit.publishing import CONTENT_TYPE
from services.outboxes import ASSESSMENT_TYPE, SOURCE, alert_headers, assessment_headers
from services.wire.envelope import ENVELOPE_OF_TYPE
from services.wire.modes import PREFIX, STRUCTURED

Part = dict[str, Any]

KAFKA_BINDING: Final = "0.5.0"
JSON: Final = "application/json"
ALERT_STATE: Final = "alert-state"


def messages() -> Part:
    """By name; an inbound one is called by its type, in headers and value `<type>.binary`."""
    found: Part = {}
    given: dict[str, list[Part]] = {}
    for event in examples.events():
        given.setdefault(event["type"], []).append(event)
    patient = _key("<practiceid>/<subject>")
    for type in ENVELOPE_OF_TYPE:
        found[type] = _structured(type, given[type], patient)
        found[f"{type}.binary"] = _binary(type, given[type], patient)
    alert, assessment, checkpoint = examples.sent()
    shown = [{"headers": _texts(alert_headers(alert)), "payload": json.loads(alert.body)}]
    found[ALERT] = _sent(ALERT, ALERT, patient, shown)
    found[ALERT_STATE] = _sent(ALERT_STATE, ALERT, _key("the alert's id"), shown)
    answer = json.loads(assessment)
    headers = assessment_headers(
        answer["practice_id"], answer["patient_id"], answer["month"], answer["stream_version"]
    )
    shown = [{"headers": _texts(headers), "payload": answer}]
    month = _key("<practiceid>/<subject>/<month>")
    found[ASSESSMENT] = _sent(ASSESSMENT, ASSESSMENT, month, shown)
    found[CHECKPOINT] = _checkpoint(checkpoint)
    return found


def _structured(type: str, given: Iterable[Part], key: Part) -> Part:
    return {
        "name": type,
        "title": f"{type}, structured",
        "contentType": STRUCTURED,
        "payload": ref(type),
        "bindings": key,
        "examples": [{"payload": event} for event in given],
    }


def _binary(type: str, given: Iterable[Part], key: Part) -> Part:
    """The attributes as headers, `data` as value."""
    shown = []
    for event in given:
        attributes = {f"{PREFIX}{name}": value for name, value in event.items() if name != "data"}
        headers = attributes | {"content-type": JSON}
        shown.append({"headers": headers, "payload": event["data"]})
    return {
        "name": f"{type}.binary",
        "title": f"{type}, binary",
        "contentType": JSON,
        "headers": _headers(shown[0]["headers"], {f"{PREFIX}type": type}),
        "payload": ref(data_name(type)),
        "bindings": key,
        "examples": shown,
    }


def _sent(name: str, schema: str, key: Part, shown: list[Part]) -> Part:
    fixed = {f"{PREFIX}source": SOURCE}
    if schema == ASSESSMENT:
        fixed[f"{PREFIX}type"] = ASSESSMENT_TYPE
    return {
        "name": name,
        "title": name,
        "contentType": JSON,
        "headers": _headers(shown[0]["headers"], fixed),
        "payload": ref(schema),
        "bindings": key,
        "examples": shown,
    }


def _checkpoint(note: str) -> Part:
    """No CloudEvent: text, as verifiers of other logs read it too."""
    headers = {"content-type": CONTENT_TYPE}
    members = {name: {"type": "string", "const": value} for name, value in headers.items()}
    return {
        "name": CHECKPOINT,
        "title": CHECKPOINT,
        "contentType": CONTENT_TYPE,
        "headers": {"type": "object", "properties": members},
        "payload": ref(CHECKPOINT),
        "bindings": _key("the log's name"),
        "examples": [{"headers": headers, "payload": note}],
    }


def _headers(names: Iterable[str], fixed: Part) -> Schema:
    """All of them are needed; those whose value never changes are said with it."""
    fixed = fixed | {f"{PREFIX}specversion": "1.0", "content-type": JSON}
    members = {
        name: {"type": "string"} | ({"const": fixed[name]} if name in fixed else {})
        for name in names
    }
    needed = [name for name in members if name != "content-type"]
    return {"type": "object", "properties": members, "required": needed}


def _key(meaning: str) -> Part:
    key = {"type": "string", "description": meaning}
    return {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING}}


def _texts(headers: Iterable[tuple[str, bytes]]) -> dict[str, str]:
    return {name: value.decode() for name, value in headers}
