"""The service as a real process without Kafka: what it serves, says of itself, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from infra.eventstore import open_store
from infra.settings import unknown_variables
from services.serve.health import LIVE
from services.serve.roles import Role, parse_roles
from tests.postgres import postgres_server, postgres_url
from tests.services.serving import clean, eventually, figures, serving
from tests.services.stalling import stallable
from tests.services.wire_examples import cloudevent

__all__ = ["postgres_server", "postgres_url"]

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-of-enough-length"
STRUCTURED = {"content-type": "application/cloudevents+json"}
BATCH = {"content-type": "application/cloudevents-batch+json"}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    database = f"sqlite:///{tmp_path / 'store.db'}"
    return {"CARETALLY_DATABASE": database, "CARETALLY_HTTP": "127.0.0.1:0"}


def refused(environment: dict[str, str], *options: str) -> str:
    """What is said about a command line that is refused."""
    run = subprocess.run(
        [sys.executable, "-m", "services.cli.main", "serve", *options],
        env=clean(environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 2, run.stderr
    assert "Traceback" not in run.stderr
    return run.stderr


def test_without_kafka_it_takes_events_over_http_and_says_so(environment: dict[str, str]) -> None:
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        assert any("CARETALLY_KAFKA is not set" in line["message"] for line in service.log)
        answer = client.post("/api/v1/events", json=cloudevent(), headers=STRUCTURED)
        assert answer.status_code == 202
        assert client.get("/readyz").json()["ok"]
        assert client.get("/livez").json() == {
            "ok": True,
            "checks": {"progress": {"ok": True, "finding": ""}},
        }
        assert service.stop() == 0
    store = open_store(environment["CARETALLY_DATABASE"])
    assert store.counts()["events"] == 1
    store.close()


def test_the_metrics_count_what_became_of_every_message(environment: dict[str, str]) -> None:
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        documents = [cloudevent(id=f"e{n}") for n in range(5)]
        bad: list[Any] = [{**cloudevent(id="x"), "type": "time.guessed.v1"}, 17]
        client.post("/api/v1/events", json=documents, headers=BATCH)
        client.post("/api/v1/events", json=[*documents[:2], *bad], headers=BATCH)
        found = figures(client)
        assert found["caretally_events_accepted_total"] == 5
        assert found["caretally_duplicates_total"] == 2
        assert found["caretally_batch_seconds_count"] == 2
        letters = {name: n for name, n in found.items() if "dead_letters_total" in name}
        assert letters == {
            'caretally_dead_letters_total{reason="unknown-type"}': 1,
            'caretally_dead_letters_total{reason="not-a-cloudevent"}': 1,
        }


def test_neither_log_nor_metrics_name_a_patient(environment: dict[str, str]) -> None:
    environment["CARETALLY_LOG_LEVEL"] = "debug"
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        secret = cloudevent(subject="PATIENT-ZAPHOD")
        client.post("/api/v1/events", json=secret, headers=STRUCTURED)
        client.post("/api/v1/events", json={**secret, "type": "none.v1"}, headers=STRUCTURED)
        client.get("/PATIENT-ZAPHOD")
        text = client.get("/metrics").text + client.get("/readyz").text
        assert service.stop() == 0
        assert "ZAPHOD" not in text + json.dumps(service.rest_of_log())


def test_with_a_token_only_the_probes_are_open(environment: dict[str, str]) -> None:
    environment["CARETALLY_HTTP_TOKEN"] = TOKEN
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        for path in ("/metrics", "/api/v1/events", "/livez/", "//livez"):
            answer = client.request("POST" if "api" in path else "GET", path)
            assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        wrong = {"authorization": f"Bearer {TOKEN}x"}
        assert client.get("/metrics", headers=wrong).status_code == 401
        assert client.get("/metrics", headers={"authorization": TOKEN}).status_code == 401
        right = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/metrics", headers=right).status_code == 200
        sent = client.post("/api/v1/events", json=cloudevent(), headers={**right, **STRUCTURED})
        assert sent.status_code == 202
        assert client.get("/livez").status_code == client.get("/readyz").status_code == 200


def test_a_stop_under_load_loses_nothing_that_was_answered(environment: dict[str, str]) -> None:
    taken: list[str] = []

    def send(base: str, sender: int) -> None:
        with httpx.Client(base_url=base, timeout=10) as client:
            for number in range(100_000):
                id = f"{sender}-{number}"
                try:
                    answer = client.post(
                        "/api/v1/events",
                        json=cloudevent(id=id, subject=f"pt{number % 50}"),
                        headers=STRUCTURED,
                    )
                except httpx.HTTPError:
                    return
                if answer.status_code == 202:
                    taken.append(id)

    with serving(environment) as service:
        base = service.base()
        senders = [threading.Thread(target=send, args=(base, n)) for n in range(6)]
        for sender in senders:
            sender.start()
        while len(taken) < 300:
            assert service.process.poll() is None
        assert service.stop() == 0
        for sender in senders:
            sender.join()
    store = open_store(environment["CARETALLY_DATABASE"])
    stored = [json.loads(event.state)["id"] for event in store.log(0, 1_000_000)]
    store.close()
    assert len(stored) == len(set(stored))
    assert set(taken) <= set(stored)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_both_signals_end_it_in_order(environment: dict[str, str], number: int) -> None:
    with serving(environment) as service:
        service.base()
        assert service.stop(number) == 0
        assert service.rest_of_log()[-1]["message"] == "stopped"


def test_a_second_signal_ends_it_at_once(environment: dict[str, str]) -> None:
    """A request that is still being sent holds the first stop back; the second does not wait."""
    with serving(environment) as service:
        host, port = service.base().removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                b"POST /api/v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n"
                b"content-type: application/cloudevents+json\r\n\r\n{"
            )
            service.process.send_signal(signal.SIGTERM)
            service.until("stopping")
            assert service.stop(seconds=1.5) == 128 + signal.SIGTERM


def test_it_is_not_ready_while_its_database_fails(environment: dict[str, str]) -> None:
    path = Path(environment["CARETALLY_DATABASE"].removeprefix("sqlite:///"))
    with serving(environment) as service, httpx.Client(base_url=service.base()) as client:
        assert client.get("/readyz").status_code == 200
        for file in path.parent.glob("store.db*"):
            file.write_bytes(b"no database" * 1000)
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "fails with" in answer.json()["checks"]["database"]["finding"]
        assert client.get("/livez").status_code == 200


@pytest.mark.postgres
def test_a_database_that_goes_silent_makes_it_not_ready_heals_alone_and_holds_up_no_stop(
    environment: dict[str, str], postgres_url: str
) -> None:
    with stallable(postgres_url) as line:
        environment["CARETALLY_DATABASE"] = line.url
        with (
            serving(environment) as service,
            httpx.Client(base_url=service.base(), timeout=20) as client,
        ):
            assert client.get("/readyz").status_code == 200
            line.silence()
            answer = client.get("/readyz")
            assert answer.status_code == 503
            assert answer.json()["checks"]["database"]["finding"] == "no answer within 2 s"
            assert client.get("/livez").status_code == 200
            line.resume()
            eventually(lambda: client.get("/readyz").status_code == 200)
            sent = client.post("/api/v1/events", json=cloudevent(), headers=STRUCTURED)
            assert sent.status_code == 202
            line.silence()
            assert client.get("/readyz").status_code == 503
            assert service.stop(seconds=10) == 0


def test_what_cannot_be_served_is_refused_with_the_reason(environment: dict[str, str]) -> None:
    off = {**environment, "CARETALLY_HTTP": "off"}
    assert "--role: expected ingest, projector" in refused(environment, "--role", "ingest,boss")
    channel = {**environment, "CARETALLY_NOTIFY_URLS": "nonsense://secret"}
    said = refused(channel, "--role", "notifier")
    assert "notify_urls: expected URLs of apprise" in said
    assert "secret" not in said
    assert "CARETALLY_HTTP is off" in refused(off, "--role", "api")
    assert "no door is open" in refused(off, "--role", "ingest")
    assert "nothing can be served" in refused(off)
    assert "set CARETALLY_KAFKA" in refused(environment, "--create-topics")
    assert "--http: expected HOST:PORT" in refused(environment, "--http", "here")
    assert "set http_token" in refused(environment, "--http", "0.0.0.0:0")


def test_it_starts_and_stops_while_kafka_is_not_there_and_is_alive_but_not_ready(
    environment: dict[str, str],
) -> None:
    environment["CARETALLY_KAFKA"] = "127.0.0.1:1"
    for options in ((), ("--create-topics",)):
        with serving(environment, *options) as service:
            url = service.until("HTTP is served at")["message"].rpartition(" ")[2]
            service.until("yet: KafkaConnectionError")
            with httpx.Client(base_url=url) as client:
                answer = client.get("/readyz")
                assert answer.status_code == 503
                assert answer.json()["checks"]["kafka"]["finding"] == "not connected to Kafka"
                assert client.get("/livez").status_code == 200
            assert service.stop(seconds=10) == 0


def test_the_compose_file_starts_roles_and_sets_variables_that_exist() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    ours = {name: s for name, s in compose["services"].items() if s.get("image") == "caretally"}
    served = set()
    for service in ours.values():
        assert not unknown_variables(service["environment"])
        command = service["command"]
        assert command[0] == "serve"
        served |= set(parse_roles([command[command.index("--role") + 1]]))
        assert set(command[3:]) <= {"--create-topics"}
        port = service["environment"]["CARETALLY_HTTP"].rpartition(":")[2]
        assert f"127.0.0.1:{port}{LIVE}" in service["healthcheck"]["test"][-1]
    assert served == set(Role) - {Role.ALL}


def test_an_address_in_use_is_named(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert f"{address}: cannot be bound" in refused(environment, "--http", address)
