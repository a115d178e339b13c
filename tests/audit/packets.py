"""The packet of the scene's month, unpacked."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest

from infra.eventstore import open_store
from tests.audit.golden import made, unpacked
from tests.audit.growing import GrowingLog
from tests.audit.scene import lived
from tests.services.command import Command


@pytest.fixture
def log(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    yield lived(store)
    store.close()


def files_of(log: GrowingLog, as_of_us: int | None = None) -> dict[str, bytes]:
    return unpacked(made(log, as_of_us))


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))
