"""The API's document: true examples, schemas that hold, one entry for every route."""

from __future__ import annotations

import json
import re
from typing import Any

import jsonschema
import pytest

from projections.ports import Store
from services.access.routes import table
from services.api.application import RESOURCES
from services.api.inbound import EVENT
from tests.api.asked import Asked
from tests.api.examples import FILE, made
from tests.api.scene import furnished
from tests.audit.growing import GrowingLog
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

DOCUMENT = "/api/v1/openapi.json"


@pytest.fixture
def month(store: Store) -> GrowingLog:
    return furnished(store)


@pytest.fixture
def document(api: Asked) -> dict[str, Any]:
    found: dict[str, Any] = api.json(DOCUMENT)
    return found


def test_the_examples_are_what_the_api_answers() -> None:
    """If it is right that they differ: `python -m tests.api.examples`."""
    assert json.loads(FILE.read_text("utf-8")) == made()


@pytest.mark.postgres
def test_over_postgresql_the_answers_are_the_same(postgres_url: str) -> None:
    assert json.loads(FILE.read_text("utf-8")) == made(postgres_url)


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                for content in response.get("content", {}).values():
                    if "example" in content:
                        valid(content["example"], content["schema"], document)


def valid(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    whole = {**schema, "components": document["components"]}
    jsonschema.Draft202012Validator(whole).validate(value)


def test_every_route_is_described_with_an_example(document: dict[str, Any]) -> None:
    described = {
        (path, method.upper()) for path, item in document["paths"].items() for method in item
    }
    assert described == {(r.path, r.method) for r in RESOURCES} | {("/events", "POST")}
    operations = [o for item in document["paths"].values() for o in item.values()]
    assert len({o["operationId"] for o in operations}) == len(operations)
    assert all(o["description"] for o in operations)
    for resource in RESOURCES:
        content = document["paths"][resource.path][resource.method.lower()]["responses"]["200"]
        for media in resource.gives:
            assert media == "application/zip" or "example" in content["content"][media]


def test_an_event_of_the_examples_is_taken(api: Asked, document: dict[str, Any]) -> None:
    described = document["paths"]["/events"]["post"]["requestBody"]["content"]
    for media, content in described.items():
        one = content["example"]
        for event in one if isinstance(one, list) else [one]:
            valid(event, {"$ref": f"#/components/schemas/{EVENT}"}, document)
        answer = api.client.post(
            "/api/v1/events", content=json.dumps(one), headers={"content-type": media}
        )
        assert answer.status_code == 202, answer.text
    wrong = api.get("/api/v1/events")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "OPTIONS, POST")


def test_the_document_may_be_sent_packed_and_each_form_has_its_tag(api: Asked) -> None:
    plain = api.get(DOCUMENT, {"accept-encoding": "identity"})
    packed = api.get(DOCUMENT, {"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert packed.headers["etag"] != plain.headers["etag"]
    again = api.get(DOCUMENT, {"if-none-match": plain.headers["etag"], "accept-encoding": ""})
    assert again.status_code == 304


def test_patients_data_is_never_packed(api: Asked) -> None:
    """Beside a secret somebody could put a guess, and see in the length whether it is right."""
    answer = api.get("/api/v1/assessments", {"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers


def test_every_route_names_its_right(api: Asked) -> None:
    from services.api.application import mounted
    from services.api.desk import Desk

    desk = Desk(api.parts, lambda _request, _wanted: None)
    found = table([mounted(desk, api.parts.settings)])
    desk.close()
    paths = {re.sub(r"^/api/v1", "", path) for path, _ in found}
    assert paths == {r.path for r in RESOURCES} | {"/openapi.json", "/alerts/stream"}
