"""Kafka over TLS with a password: a real broker, a real service, and who is not let in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka import AIOKafkaProducer  # type: ignore[import-untyped]

from infra.eventstore import open_store
from infra.kafka.jars import KafkaUnavailable
from infra.settings import Settings
from tests.kafka import unavailable
from tests.notify.test_outbound_tls import certificate
from tests.secured_kafka import PASSWORD, USER, SecuredKafka
from tests.services.serving import eventually, serving
from tests.services.wire_examples import cloudevent

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture(scope="module")
def broker(made: tuple[Path, Path]) -> Iterator[SecuredKafka]:
    key, certificate_file = made
    try:
        found = SecuredKafka(certificate_file, key)
    except KafkaUnavailable as error:
        unavailable(str(error))
    with found:
        found.add_user()
        yield found


def variables(broker: SecuredKafka, made: tuple[Path, Path], folder: Path) -> dict[str, str]:
    return {
        "CARETALLY_DATABASE": f"sqlite:///{folder}/care.db",
        "CARETALLY_HTTP": "127.0.0.1:0",
        "CARETALLY_KAFKA": broker.secured,
        "CARETALLY_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
        "CARETALLY_KAFKA_SSL_CAFILE": str(made[1]),
        "CARETALLY_KAFKA_SASL_USERNAME": USER,
        "CARETALLY_KAFKA_SASL_PASSWORD": PASSWORD,
        "CARETALLY_KAFKA_EVENTS_PARTITIONS": "1",
    }


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_events_come_and_alerts_go_over_tls_with_a_password(
    broker: SecuredKafka, made: tuple[Path, Path], tmp_path: Path, mechanism: str
) -> None:
    given = variables(broker, made, tmp_path)
    given["CARETALLY_KAFKA_SASL_MECHANISM"] = mechanism
    with serving(given, "--create-topics") as service:
        with httpx.Client(base_url=service.base(), trust_env=False) as client:
            asyncio.run(send(given))
            eventually(lambda: client.get("/readyz").status_code == 200, 60)
        store = open_store(given["CARETALLY_DATABASE"])
        eventually(lambda: store.head() >= 1, 60)
        store.close()
        assert service.stop() == 0


@pytest.mark.parametrize("wrong", ["CARETALLY_KAFKA_SASL_PASSWORD", "CARETALLY_KAFKA_SSL_CAFILE"])
def test_a_wrong_password_or_an_unknown_authority_leaves_it_not_ready(
    broker: SecuredKafka, made: tuple[Path, Path], tmp_path: Path, wrong: str
) -> None:
    given = variables(broker, made, tmp_path)
    (tmp_path / "other").mkdir()
    other = certificate(tmp_path / "other", "127.0.0.1")[1]
    given[wrong] = "not the password" if "PASSWORD" in wrong else str(other)
    with serving(given) as service:
        with httpx.Client(base_url=service.base(), trust_env=False) as client:
            answer = client.get("/readyz")
            assert answer.status_code == 503
            assert not answer.json()["checks"]["kafka"]["ok"]
        assert service.stop() == 0
        assert PASSWORD not in json.dumps(service.rest_of_log())


async def send(given: dict[str, str]) -> None:
    """One event, by the same settings as the service's."""
    members = {k.removeprefix("CARETALLY_").lower(): v for k, v in given.items()}
    kafka = Settings(**members).kafka_settings()  # type: ignore[arg-type]
    assert kafka is not None
    producer = AIOKafkaProducer(**kafka.client())
    await producer.start()
    try:
        event = json.dumps(cloudevent(id=given["CARETALLY_KAFKA_SASL_MECHANISM"])).encode()
        await producer.send_and_wait("ehr.events.v1", event, b"p1/pt1")
    finally:
        await producer.stop()
