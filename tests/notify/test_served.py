"""The whole service: a stored transition goes out as webhook, stream and Alertmanager alert."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx

from infra.clock import system_clock
from infra.eventstore import open_store
from infra.eventstore.deliveries import open_deliveries
from services.notify.signing import new_secret
from services.notify.stream import PATH
from services.notify.subscribing import new_subscriber
from tests.notify.given import store_them, transition
from tests.receiver import Receiver
from tests.services.serving import serving

TOKEN = "a-token-of-enough-length"


def test_a_stored_transition_reaches_every_sink_of_a_serving_process(
    tmp_path: Path, endpoint: Receiver, other: Receiver
) -> None:
    """The stream is behind the token, an open one does not hold up the end of the process."""
    url = f"sqlite:///{tmp_path}/store.db"
    environment = {
        "CARETALLY_DATABASE": url,
        "CARETALLY_HTTP": "127.0.0.1:0",
        "CARETALLY_HTTP_TOKEN": TOKEN,
        "CARETALLY_WEBHOOKS_ALLOW_PRIVATE": "true",
        "CARETALLY_ALERTMANAGER": f"http://127.0.0.1:{other.port}",
    }
    store = open_store(url)
    made = new_subscriber(endpoint.url, (), (), new_secret(), 0, system_clock(), True)
    open_deliveries(store).add(made)
    streamed: list[str] = []
    with serving(environment) as service:
        base = service.base()
        assert httpx.get(base + PATH, trust_env=False).status_code == 401
        reader = threading.Thread(target=read, args=(base, streamed), daemon=True)
        reader.start()
        wait(lambda: bool(streamed))
        store_them(store, [transition(1)])
        wait(lambda: bool(endpoint.got and other.got and len(streamed) > 1))
        began = time.monotonic()
        assert service.stop() == 0
        assert time.monotonic() - began < 3
    reader.join(5)
    assert not reader.is_alive()
    store.close()
    id = "p1-pt1-threshold.reached.1"
    assert endpoint.ids() == [id]
    assert json.loads(streamed[1])["id"] == id
    assert other.got[0].path == "/api/v2/alerts"


def read(base: str, found: list[str]) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    with httpx.stream("GET", base + PATH, headers=headers, timeout=30, trust_env=False) as answer:
        for line in answer.iter_lines():
            if line.startswith("retry:"):
                found.append(line)
            if line.startswith("data: "):
                found.append(line[6:])


def wait(true: object) -> None:
    end = time.monotonic() + 15
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)
