"""The API over a real server and an SQLite store with a month that was lived."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.eventstore import open_store
from projections.ports import Store
from tests.api.asked import Asked, asking
from tests.audit.growing import GrowingLog
from tests.audit.scene import lived


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/care.db")
    yield opened
    opened.close()


@pytest.fixture
def month(store: Store) -> GrowingLog:
    """Practice p1, patient pt1, March 2025: earned, claimed, corrected afterwards."""
    return lived(store)


@pytest.fixture
def api(month: GrowingLog) -> Iterator[Asked]:
    with asking(month.parts, month.ingest) as asked:
        yield asked
