"""JSON Schemas of every message.

Inbound ones come from the models that check the input, the assessment's from the dataclass that is
encoded, so neither can drift. An alert is written as it is, and a test holds it against real ones.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from pydantic.json_schema import models_json_schema

from domain.alerts import AlertType
from domain.assess import Assessment
from services.wire.envelope import ENVELOPE_OF_TYPE
from services.wire.models import DATA_OF_TYPE

Schema = dict[str, Any]

REF: Final = "#/components/schemas/{}"
ALERT: Final = "alert"
ASSESSMENT: Final = "assessment"
CHECKPOINT: Final = "checkpoint"


def ref(name: str) -> Schema:
    return {"$ref": REF.format(name)}


def schemas() -> dict[str, Schema]:
    """Every schema by name; an inbound event's is called by its type, its data's by its model."""
    return {**inbound_schemas(), **_outbound()}


def data_name(type: str) -> str:
    """The name of the schema of this type's `data`."""
    return DATA_OF_TYPE[type].__name__


def inbound_schemas() -> dict[str, Schema]:
    envelopes = [(model, "validation") for model in ENVELOPE_OF_TYPE.values()]
    named, whole = models_json_schema(
        envelopes,  # type: ignore[arg-type]
        ref_template=REF.format("{model}"),
    )
    found: dict[str, Schema] = dict(whole["$defs"])
    for type, model in ENVELOPE_OF_TYPE.items():
        name = named[model, "validation"]["$ref"].rpartition("/")[2]
        schema = found.pop(name)
        schema["title"] = type
        schema["properties"]["type"] = {"const": type}
        found[type] = schema
    return found


def _outbound() -> dict[str, Schema]:
    (_,), found = msgspec.json.schema_components([Assessment], ref_template=REF.format("{name}"))
    components = {name: _titled(schema) for name, schema in found.items()}
    components[ASSESSMENT] = components.pop(Assessment.__name__)
    return {**components, ALERT: alert_schema(), CHECKPOINT: checkpoint_schema()}


def _titled(schema: Schema) -> Schema:
    """Docstrings of the code are for its readers; the title stays."""
    return {key: value for key, value in schema.items() if key != "description"}


def alert_schema() -> Schema:
    members: dict[str, Schema] = {
        "alert_id": {"type": "string", "format": "uuid"},
        "transition": {"type": "integer", "minimum": 1},
        "state": {"enum": ["raised", "resolved"]},
        "type": {"enum": [type.value for type in AlertType]},
        "practice_id": {"type": "string"},
        "patient_id": {"type": "string"},
        "month": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}$"},
        "code": {"type": "string"},
        "unit": {"type": "integer", "minimum": 0},
        "seconds_to_go": {"type": ["integer", "null"], "minimum": 0},
        "cause": {
            "type": "object",
            "properties": {"source": {"type": "string"}, "id": {"type": "string"}},
            "required": ["source", "id"],
        },
        "stream_version": {"type": "integer", "minimum": 1},
        "recorded_at": {"type": "string", "format": "date-time"},
    }
    return {"title": ALERT, "type": "object", "properties": members, "required": list(members)}


def checkpoint_schema() -> Schema:
    """A signed note, line by line: name, size, root hash, time, reads and the hash of the last."""
    hashed, time = "[A-Za-z0-9+/]{43}=", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
    text = rf"\S+\n\d+\n{hashed}\ntime {time}\naccess \d+ (-|{hashed})\n"
    return {
        "title": CHECKPOINT,
        "type": "string",
        "description": "C2SP tlog-checkpoint: the log's name, how many events it has, the root "
        "hash over them; when it was made; how many reads were written down and the hash of the "
        "last one. Below an empty line, the signature: verify it before anything else.",
        "pattern": rf"^{text}\n(— \S+ [A-Za-z0-9+/=]+\n)+$",
    }
