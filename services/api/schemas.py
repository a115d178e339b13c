"""The schemas of what the API gives, from the classes that are encoded, so neither can drift."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from domain.assess import Assessment
from domain.explain import Explanation
from services.api.resource import REF, Schema

PROBLEM: Final = "problem"
SHAPES: Final[tuple[type[Any], ...]] = (Assessment, Explanation)


def schemas() -> dict[str, Schema]:
    """Every schema by name."""
    _, found = msgspec.json.schema_components(SHAPES, ref_template=REF.format("{name}"))
    return {**{name: _titled(schema) for name, schema in found.items()}, PROBLEM: _problem()}


def _titled(schema: Schema) -> Schema:
    """Docstrings of the code are for its readers; the title stays."""
    return {key: value for key, value in schema.items() if key != "description"}


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
