"""The door for events, described: it stands beside the API's own routes and is no reader."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from services.api.desk import JSON
from services.api.resource import Schema, ref
from services.asyncapi.examples import events
from services.asyncapi.schemas import inbound_schemas
from services.doors.http import BATCH_EVENTS_MAX
from services.wire.envelope import ENVELOPE_OF_TYPE
from services.wire.modes import BATCH, STRUCTURED

EVENT: Final = "event"
TAKEN: Final = "Taken"
IN_PART: Final = "TakenInPart"

_SAID: Final = """By the CloudEvents HTTP binding: one event structured, or binary with `ce-`
headers and `application/json`, or a batch. 202 means stored. A single event that is refused stays
with its sender; in a batch the good events are taken and the others listed by index (207) and kept
as dead letters."""


def event_schemas() -> dict[str, Schema]:
    """What comes in, by name; and what is answered."""
    whole, text = {"type": "integer", "minimum": 0}, {"type": "string"}
    refused = {"index": whole, "reason": text, "field": text, "detail": text}
    item = {"type": "object", "properties": refused, "required": [*refused]}
    in_part: dict[str, Any] = {"taken": whole, "rejected": {"type": "array", "items": item}}
    return {
        **inbound_schemas(),
        EVENT: {"oneOf": [ref(type) for type in ENVELOPE_OF_TYPE]},
        TAKEN: {"type": "object", "properties": {"taken": whole}, "required": ["taken"]},
        IN_PART: {"type": "object", "properties": in_part, "required": [*in_part]},
    }


def event_operation(faults: Mapping[str, Any]) -> dict[str, Any]:
    """The operation at `/events`; `faults` are the answers that every route may give."""
    batch = list(islice(events(), 2))
    many = {"type": "array", "items": ref(EVENT), "maxItems": BATCH_EVENTS_MAX}
    one = next(event for event in events() if event["type"] == "time.logged.v1")
    return {
        "tags": ["events"],
        "summary": "Events",
        "description": _SAID,
        "operationId": "events",
        "requestBody": {
            "required": True,
            "content": {
                STRUCTURED: {"schema": ref(EVENT), "example": one},
                BATCH: {"schema": many, "example": batch},
            },
        },
        "responses": {
            "202": _gives("Stored.", TAKEN, {"taken": 1}),
            "207": _gives("Some of the batch were refused.", IN_PART, None),
            **faults,
        },
    }


def _gives(said: str, schema: str, example: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": ref(schema)}
    if example is not None:
        content["example"] = example
    return {"description": said, "content": {JSON: content}}
