"""Rest-hooks against a serving process: what is answered with 200 is durable, whatever it is."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from infra.eventstore import open_store
from projections.ports import Store
from tests.fhir.linking import link
from tests.fhir.made import chart, raw, task
from tests.fhir.notified import notification
from tests.fhir.test_files import PROFILE
from tests.services.serving import Serving, eventually, figures, serving

KIND = {"content-type": "application/fhir+json"}
HOOK = "/fhir/notify/river"


def environment(folder: Path, subject: str = "id") -> dict[str, str]:
    (folder / "river.toml").write_text(PROFILE.format(subject=subject))
    return {
        "CARETALLY_DATABASE": f"sqlite:///{folder}/care.db",
        "CARETALLY_HTTP": "127.0.0.1:0",
        "CARETALLY_FHIR_SITES": str(folder),
    }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Serving]:
    with serving(environment(tmp_path, "linked"), "--role", "ingest") as found:
        yield found


def opened(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder}/care.db")


def test_a_subscription_from_handshake_to_assessment(service: Serving, tmp_path: Path) -> None:
    with httpx.Client(base_url=service.base(), headers=KIND) as client:
        assert client.post(HOOK, content=raw(notification("r4", "handshake", 0))).status_code == 200
        said = notification("r4", "event-notification", 1, [1], ["Task/t1"], [*chart(), task()])
        assert client.post(HOOK, content=raw(said)).status_code == 200
        assert client.put(f"{HOOK}/Task/t2", content=raw(task("t2", 10))).status_code == 200
        assert client.post(HOOK, content=raw(notification("r4", "heartbeat", 3))).status_code == 200
        event = {"content-type": "application/cloudevents+json"}
        sent = client.post("/api/v1/events", content=link(), headers=event)
        assert sent.status_code == 202
        store = opened(tmp_path)
        eventually(lambda: store.head() == 9)
        (answer,) = map(json.loads, store.assessments())
        assert (answer["status"], answer["seconds"]["logged"]) == ("billable", 1_800)
        assert [d.reason for d in store.dead_letters() if not d.replayed_at_us] == ["feed-gap"]
        ready = client.get("/readyz").json()
        assert ready["checks"]["review"] == {"ok": True, "finding": ""}
        assert figures(client)['caretally_ignored_total{why="notification-handshake"}'] == 1
        store.close()


def test_a_bad_body_is_kept_and_the_hook_stays_open(service: Serving, tmp_path: Path) -> None:
    with httpx.Client(base_url=service.base(), headers=KIND) as client:
        for body in (b"", b"{", b"[]", raw({"resourceType": "Task"})):
            assert client.post(HOOK, content=body).status_code == 200
        missing = client.post("/fhir/notify/hill", content=b"{}")
        assert missing.status_code == 404
        assert missing.json()["resourceType"] == "OperationOutcome"
        large = client.post(HOOK, content=b"x" * (16 * 1_048_576 + 1))
        assert large.status_code == 413
    store = opened(tmp_path)
    assert [d.value for d in store.dead_letters()][:3] == [b"", b"{", b"[]"]
    store.close()


def test_a_killed_service_has_lost_nothing_that_it_answered(tmp_path: Path) -> None:
    answered: list[str] = []
    with serving(environment(tmp_path), "--role", "ingest") as service:
        base = service.base()

        def send() -> None:
            with httpx.Client(base_url=base, headers=KIND) as client:
                for n in range(10_000):
                    name = f"k{n}"
                    try:
                        answer = client.post(HOOK, content=raw(task(name, minutes=1)))
                    except httpx.HTTPError:
                        return
                    if answer.status_code == 200:
                        answered.append(name)

        sender = threading.Thread(target=send)
        sender.start()
        eventually(lambda: len(answered) >= 25)
        service.process.kill()
        sender.join(10)
    store = opened(tmp_path)
    taken = {json.loads(stored.state)["id"].split("/")[1] for stored in store.log(0, 20_000)}
    assert set(answered) <= taken
    store.close()


def test_a_token_is_asked_for_where_one_is_set(tmp_path: Path) -> None:
    token = {"CARETALLY_HTTP_TOKEN": "0123456789abcdef"}
    with (
        serving({**environment(tmp_path), **token}, "--role", "ingest") as service,
        httpx.Client(base_url=service.base(), headers=KIND) as client,
    ):
        assert client.post(HOOK, content=b"{}").status_code == 401
        brought = {"authorization": "Bearer 0123456789abcdef"}
        assert client.post(HOOK, content=b"{}", headers=brought).status_code == 200


def test_no_log_line_names_a_patient(service: Serving) -> None:
    with httpx.Client(base_url=service.base(), headers=KIND) as client:
        client.post(HOOK, content=raw(task(**{"for": {"reference": "Patient/secret-7"}})))
        client.post(HOOK, content=raw(task("secret-8", status="odd")))
    assert service.stop() == 0
    assert "secret" not in json.dumps(service.rest_of_log())
