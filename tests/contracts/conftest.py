"""The stores under contract: memory, SQLite in memory, SQLite in a file, PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.eventstore import open_store
from projections.ports import Store
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]

DURABLE = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
"""Stores that several processes can open."""

ALL = ["memory", "sqlite-memory", *DURABLE]


def url_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return {
        "memory": "memory:",
        "sqlite-memory": "sqlite:///:memory:",
        "sqlite": f"sqlite:///{folder}/log.db",
    }[kind]


@pytest.fixture(params=ALL)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store(url_of(request.param, request, tmp_path))
    yield opened
    opened.close()


@pytest.fixture(params=DURABLE)
def durable_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_of(request.param, request, tmp_path)
