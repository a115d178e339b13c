"""Real brokers, a fresh topic and group for each test, and a real store."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.kafka.jars import KafkaUnavailable
from infra.kafka.local import LocalKafka
from infra.kafka.settings import KafkaSettings
from infra.kafka.topics import COMPACTED, create_topic
from tests.kafka import kafka, unavailable

__all__ = ["broker", "database", "kafka", "settings"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.kafka)


def fresh(bootstrap: str, partitions: int = 3) -> KafkaSettings:
    """Settings with topics and a group that nobody used before."""
    name = uuid.uuid4().hex[:8]
    settings = KafkaSettings(
        bootstrap,
        events_topic=f"events-{name}",
        alerts_topic=f"alerts-{name}",
        alert_state_topic=f"alert-state-{name}",
        assessments_topic=f"assessments-{name}",
        group_id=f"group-{name}",
        session_timeout_ms=6000,
    )
    create_topic(bootstrap, settings.events_topic, partitions)
    create_topic(bootstrap, settings.alerts_topic, 2)
    for topic in settings.compacted_topics:
        create_topic(bootstrap, topic, 2, COMPACTED)
    return settings


@pytest.fixture
def settings(kafka: str) -> KafkaSettings:
    return fresh(kafka)


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(scope="session")
def broker() -> Iterator[LocalKafka]:
    """A second broker, to be frozen and killed."""
    if os.environ.get("CARETALLY_TEST_KAFKA"):
        pytest.skip("an external broker is not ours to kill")
    try:
        local = LocalKafka()
    except KafkaUnavailable as error:
        unavailable(str(error))
    with local:
        yield local
