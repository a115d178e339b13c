"""A route of the API, and how it is described: what it gives, in which form."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response

from services.api.desk import JSON

Schema = dict[str, Any]
REF: Final = "#/components/schemas/{}"


def ref(name: str) -> Schema:
    return {"$ref": REF.format(name)}


def page_of(name: str) -> Schema:
    """The schema of a page of such items."""
    return {
        "type": "object",
        "properties": {
            "items": {"type": "array", "items": ref(name)},
            "next": {
                "type": ["string", "null"],
                "description": "Address of the next page; null after the last.",
            },
        },
        "required": ["items", "next"],
        "additionalProperties": False,
    }


@dataclass(frozen=True, slots=True)
class Resource:
    """`gives` are the schemas of a successful answer by media type; `faults` the statuses that may
    come instead, beyond those that every route has."""

    path: str
    endpoint: Callable[..., Awaitable[Response]]
    gives: Mapping[str, Schema] = field(default_factory=dict)
    tag: str = "months"
    method: str = "GET"
    faults: tuple[int, ...] = ()
    status: int = 200


def json_of(name: str) -> dict[str, Schema]:
    return {JSON: ref(name)}


def pages_of(name: str) -> dict[str, Schema]:
    return {JSON: page_of(name)}
