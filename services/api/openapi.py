"""The OpenAPI document: made from the routes and the classes that are encoded."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib.metadata import metadata
from importlib.resources import files
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from infra.settings import Settings
from services.api.addresses import API
from services.api.inbound import event_operation, event_schemas
from services.api.resource import Resource, ref
from services.api.schemas import PROBLEM, schemas

Part = dict[str, Any]
EVERYWHERE: Final = (400, 401, 403, 405, 503)
_SAID: Final = {
    304: "Not modified: the asker has these bytes.",
    400: "A parameter is not as expected; the answer names it.",
    401: "Nobody is signed in.",
    403: "The principal does not hold the right.",
    404: "There is no such thing, or none that the principal may see.",
    405: "Another method.",
    409: "It is not in a state for that.",
    413: "Too large.",
    415: "Another content type.",
    503: "It cannot be answered now; ask again.",
}


def document(api: FastAPI, resources: Iterable[Resource], settings: Settings) -> Part:
    """The document under these settings."""
    about = metadata("caretally")
    found = get_openapi(
        title=about["Name"],
        version=about["Version"],
        summary=about["Summary"],
        openapi_version="3.1.0",
        routes=api.routes,
        servers=[{"url": API}],
        license_info={"name": about["License-Expression"], "identifier": "Apache-2.0"},
    )
    examples = _examples()
    for resource in resources:
        operation = found["paths"][resource.path][resource.method.lower()]
        _describe(operation, resource, examples.get(operation["operationId"], {}))
    found["paths"]["/events"] = {"post": event_operation(_faults((409, 413, 415)))}
    components: Part = {"schemas": {**schemas(), **event_schemas()}, "responses": _responses()}
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    everybody: list[Part] = [{}] if settings.opens_to_everybody else []
    found["security"] = [*everybody, {"token": []}]
    found["components"] = components
    return found


def _describe(operation: Part, resource: Resource, example: Part) -> None:
    """One operation: what it gives with a true example, and every fault that may come instead."""
    unchanged = (304,) if resource.method == "GET" else ()
    content = {media: {"schema": schema} for media, schema in resource.gives.items()}
    for media, body in example.get("gives", {}).items():
        content[media]["example"] = body
    operation["responses"] = {
        str(resource.status): {
            "description": example.get("said", "What was asked for."),
            "content": content,
        },
        **_faults((404, *unchanged, *resource.faults)),
    }
    for parameter in operation.get("parameters", ()):
        value = example.get("parameters", {}).get(parameter["name"])
        if value is not None:
            is_number = parameter["schema"]["type"] == "integer"
            parameter["example"] = int(value) if is_number else value


def _faults(more: Iterable[int]) -> Part:
    statuses = sorted({*EVERYWHERE, *more})
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _responses() -> Part:
    found: Part = {}
    for status, said in _SAID.items():
        found[str(status)] = {"description": said}
        if status != 304:
            content = {"application/problem+json": {"schema": ref(PROBLEM)}}
            found[str(status)]["content"] = content
    return found


def _examples() -> Part:
    text = files("services.api").joinpath("examples.json").read_text("utf-8")
    found: Part = json.loads(text)
    return found
