from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.eventstore import open_store
from tests.fhir.made import Fed, site


@pytest.fixture(params=["memory", "sqlite"])
def fed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fed]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db"
    store = open_store(url)
    yield Fed(store)
    store.close()


@pytest.fixture
def linked(fed: Fed) -> Fed:
    """The same at a site whose patients are known by links alone."""
    return Fed(fed.store, site(patients={"subject": "linked"}))
