"""The schemas of what the API gives, from the classes that are encoded, so neither can drift."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from domain.assess import Assessment
from domain.explain import Explanation
from services.api.alerts import AlertItem
from services.api.letters import DeadLetterItem, DeadLetterWhole, LetterReplayed
from services.api.panels import Practice
from services.api.resource import REF, Schema, ref
from services.api.timelines import TimelineItem
from services.asyncapi.schemas import ALERT, alert_schema
from services.audit.access import Access
from services.audit.claims import Item
from services.audit.difference import Worth
from services.audit.telling import Told
from services.views.panels import PanelMonth

PROBLEM: Final = "problem"
DIFFERENCE: Final = "DifferenceForm"
SHAPES: Final[tuple[type[Any], ...]] = (
    Assessment,
    Explanation,
    TimelineItem,
    AlertItem,
    Practice,
    PanelMonth,
    DeadLetterItem,
    DeadLetterWhole,
    LetterReplayed,
    Item,
    Access,
    Told,
    Worth,
)


def schemas() -> dict[str, Schema]:
    """Every schema by name."""
    _, found = msgspec.json.schema_components(SHAPES, ref_template=REF.format("{name}"))
    made = {name: _titled(schema) for name, schema in found.items()}
    made["AlertItem"]["properties"]["alert"] = ref(ALERT)
    made["TimelineItem"]["properties"]["alert"] = {"anyOf": [ref(ALERT), {"type": "null"}]}
    return {**made, ALERT: alert_schema(), DIFFERENCE: _difference(), PROBLEM: _problem()}


def _titled(schema: Schema) -> Schema:
    """Docstrings of the code are for its readers; the title stays."""
    return {key: value for key, value in schema.items() if key != "description"}


def _difference() -> Schema:
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    told = {
        "made_difference": {"type": "boolean"},
        "changed": texts,
        "decisive": texts,
        "came_to_before": ref("Worth"),
        "came_to_after": ref("Worth"),
    }
    effect = {"allOf": [ref("Told"), {"type": "object", "properties": told, "required": [*told]}]}
    members = {
        "practice_id": text,
        "patient_id": text,
        "month": text,
        "from": text,
        "to": text,
        "before": {"anyOf": [ref("Assessment"), {"type": "null"}]},
        "after": ref("Assessment"),
        "changed": texts,
        "events": {"type": "array", "items": effect},
    }
    return {"type": "object", "properties": members, "required": [*members]}


def _problem() -> Schema:
    text = {"type": "string"}
    one = {"field": text, "expected": text, "found": text}
    return {
        "type": "object",
        "description": "RFC 9457. `errors` names every field that is not as expected.",
        "properties": {
            "title": text,
            "status": {"type": "integer"},
            "detail": text,
            "errors": {
                "type": "array",
                "items": {"type": "object", "properties": one, "required": list(one)},
            },
        },
        "required": ["title", "status", "detail"],
    }
