"""Servers that are stopped and killed, and a world for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka.local import LocalKafka
from tests.delivery.conftest import broker
from tests.kafka import kafka
from tests.postgres import (
    LocalPostgres,
    PostgresUnavailable,
    database,
    local_postgres,
    unavailable,
)

__all__ = ["broker", "kafka"]


@pytest.fixture(scope="session")
def server() -> Iterator[LocalPostgres]:
    """A PostgreSQL of our own: an external one is not ours to stop."""
    if os.environ.get("CARETALLY_TEST_POSTGRES"):
        pytest.skip("an external PostgreSQL is not ours to stop")
    try:
        with local_postgres() as running:
            yield running
    except PostgresUnavailable as error:
        unavailable(str(error))


@pytest.fixture
def postgres(server: LocalPostgres) -> Iterator[str]:
    """A database that its server may leave in the lurch."""
    with database(server.url) as url:
        yield url


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture
def shaky(broker: LocalKafka) -> Iterator[LocalKafka]:
    """A broker that a test may freeze or kill; it runs again afterwards."""
    yield broker
    if not broker.running:
        broker.start()
