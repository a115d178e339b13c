from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.eventstore import open_store
from tests.hl7v2.sent import Sent


@pytest.fixture(params=["memory", "sqlite"])
def sent(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sent]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db"
    store = open_store(url)
    yield Sent(store)
    store.close()
