"""A real broker for the tests that need one: an external one, else one started here."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from infra.kafka.jars import KafkaUnavailable
from infra.kafka.local import LocalKafka


def unavailable(reason: str) -> NoReturn:
    """Skip with one clear line, or fail where services are required."""
    if os.environ.get("CARETALLY_REQUIRE_SERVICES") == "1":
        pytest.fail(f"Kafka is required and cannot be had: {reason}")
    pytest.skip(f"no Kafka (set CARETALLY_TEST_KAFKA, or install java 17 and mvn): {reason}")


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of a real broker, shared by the whole session."""
    external = os.environ.get("CARETALLY_TEST_KAFKA")
    if external:
        yield external
        return
    try:
        broker = LocalKafka()
    except KafkaUnavailable as error:
        unavailable(str(error))
    with broker:
        yield broker.bootstrap
