from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.eventstore import open_store
from projections.ports import Store
from tests.services.command import command, store

__all__ = ["command", "store"]


@pytest.fixture(params=["memory", "sqlite"])
def rows_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store that rows can be put into."""
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db"
    store = open_store(url)
    yield store
    store.close()
