"""A store in a file and its ledger, and real receivers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.eventstore import open_store
from infra.eventstore.deliveries import open_deliveries
from projections.deliveries import Deliveries
from projections.ports import Store
from tests.receiver import Receiver, receiver


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    opened = open_store(database)
    yield opened
    opened.close()


@pytest.fixture
def ledger(store: Store) -> Deliveries:
    return open_deliveries(store)


@pytest.fixture
def endpoint() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def other() -> Iterator[Receiver]:
    with receiver() as found:
        yield found
