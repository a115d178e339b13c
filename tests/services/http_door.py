"""A real server with the events' door, and how the tests send to it."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from projections.ports import Store
from services.doors.http import PATH, routes
from tests.here import HERE
from tests.services.door_store import ingest_over, logged, opened
from tests.services.wire_examples import raw

STRUCTURED = {"content-type": "application/cloudevents+json; charset=utf-8"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


@contextmanager
def served(app: Starlette) -> Iterator[httpx.Client]:
    """A client of a real server on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    port = listener.getsockname()[1]
    limits = httpx.Limits(max_connections=100)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30, limits=limits) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        assert not thread.is_alive()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    found = opened(tmp_path)
    yield found
    found.close()


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[Starlette, httpx.Client]]:
    app = Starlette(middleware=HERE)
    with served(app) as client:
        yield app, client


@pytest.fixture
def client(server: tuple[Starlette, httpx.Client], store: Store) -> httpx.Client:
    """The one server, its door over this test's own store."""
    app, client = server
    app.router.routes[:] = routes(ingest_over(store))
    return client


def post(client: httpx.Client, document: Any, headers: dict[str, str] | None = None) -> Any:
    return client.post(PATH, content=raw(document), headers=headers or STRUCTURED)


def batch(client: httpx.Client, documents: list[Any]) -> Any:
    return post(client, documents, BATCH)


def binary(document: dict[str, Any]) -> dict[str, str]:
    """The binary mode's headers, encoded as the binding says."""
    attributes = {name: value for name, value in document.items() if name != "data"}
    coded = {f"ce-{name}": quote(value, safe="/:+ ") for name, value in attributes.items()}
    return {"content-type": "application/json", **coded}


def ids(store: Store) -> list[str]:
    return [json.loads(event.state)["id"] for event in logged(store)]


def check_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    return body
