"""Database, broker and disk go away or drag under load: the process waits, and goes on by itself.

It stays alive and its memory flat, nothing is committed to Kafka that is not stored, and the end is
what the plain fold gives.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.kafka.local import LocalKafka
from tests.crash.outages import broker_down, database_down, disk_slow
from tests.crash.world import world
from tests.postgres import LocalPostgres

SEED = 11
SECONDS = 3.0


@pytest.mark.kafka
@pytest.mark.postgres
def test_a_database_that_is_down_is_waited_for(
    kafka: str, server: LocalPostgres, postgres: str, tmp_path: Path
) -> None:
    with world(kafka, postgres, tmp_path, SEED) as made:
        assert database_down(made, server, SECONDS)["events"] > 800


@pytest.mark.kafka
def test_a_broker_that_is_down_is_waited_for(
    shaky: LocalKafka, sqlite: str, tmp_path: Path
) -> None:
    with world(shaky.bootstrap, sqlite, tmp_path, SEED) as made:
        assert broker_down(made, shaky, SECONDS)["events"] > 800


@pytest.mark.kafka
def test_a_slow_disk_slows_reading_down_and_nothing_else(
    kafka: str, sqlite: str, tmp_path: Path
) -> None:
    with world(kafka, sqlite, tmp_path, SEED) as made:
        assert disk_slow(made, SECONDS)["events"] > 800
