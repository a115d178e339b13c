"""The fences against storms of alerts, in front of every live sink: a topic, a webhook, a real
Alertmanager and a reader of the stream."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from infra.clock import system_clock
from infra.eventstore import open_store
from infra.eventstore.deliveries import open_deliveries
from infra.kafka.settings import KafkaSettings
from services.notify.signing import new_secret
from services.notify.stream import PATH
from services.notify.subscribing import new_subscriber
from tests.alertmanager import Alertmanager, started
from tests.delivery.feed import Message, produce, ready, staff_time, structured
from tests.delivery.subscriber import alerts
from tests.delivery.test_serving import environment
from tests.receiver import Receiver, receiver
from tests.services.command import Command
from tests.services.serving import eventually, figures, serving

PATIENTS = 12
QUIET_SECONDS = 2.0
"""How long nothing must come: every sink delivers in a fraction of it."""


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def pager() -> Iterator[Receiver]:
    with receiver() as found:
        yield found


@pytest.fixture
def manager(tmp_path: Path, pager: Receiver) -> Iterator[Alertmanager]:
    yield from started(tmp_path, pager.url)


def earned(prefix: str, patients: int) -> list[Message]:
    events = [e for n in range(patients) for e in ready(f"{prefix}{n}")]
    events += [staff_time(f"{prefix}{n}", 1, 1200) for n in range(patients)]
    return [structured(event) for event in events]


@dataclass
class Sinks:
    """Everything that was ever told to anybody."""

    settings: KafkaSettings
    hook: Receiver
    pager: Receiver
    base: str = ""
    streamed: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Read the stream of the process that serves now, until it ends."""
        threading.Thread(target=self._read, args=(self.base,), daemon=True).start()

    def _read(self, base: str) -> None:
        with (
            httpx.stream("GET", base + PATH, timeout=60, trust_env=False) as answer,
        ):
            self.streamed += [line for line in answer.iter_lines() if line.startswith("data: ")]

    def told(self) -> tuple[int, int, int]:
        """On the topic, to the webhook, by Alertmanager to its receiver."""
        paged = sum(len(got.json["alerts"]) for got in self.pager.got)
        on_topic = len(alerts(self.settings, lambda some: self._is_all(len(some))))
        return on_topic, len(self.hook.got), paged

    def _is_all(self, found: int) -> bool:
        time.sleep(0.2)
        return found >= len(set(self.hook.ids()))


def test_all_again_from_offset_0_a_rebuild_and_history_are_delivered_to_nobody(
    settings: KafkaSettings,
    tmp_path: Path,
    hook: Receiver,
    pager: Receiver,
    manager: Alertmanager,
) -> None:
    command = Command(tmp_path)
    # On the last days of a month every patient here would be told of as at risk besides.
    never_at_risk = tmp_path / "caretally.toml"
    never_at_risk.write_text("[policy]\nat_risk_days = 0\n")
    config = {"CARETALLY_CONFIG": str(never_at_risk)}
    ours = {
        **environment(settings, command.database),
        **config,
        "CARETALLY_WEBHOOKS_ALLOW_PRIVATE": "true",
        "CARETALLY_ALERTMANAGER": manager.url,
    }
    store = open_store(command.database)
    subscriber = new_subscriber(hook.url, (), (), new_secret(), 0, system_clock(), True)
    open_deliveries(store).add(subscriber)
    sinks = Sinks(settings, hook, pager)
    messages = earned("e", PATIENTS)

    with serving(ours) as service:
        service.base()
        produce(settings.bootstrap, settings.events_topic, messages)
        eventually(lambda: sinks.told() == (PATIENTS,) * 3)
        assert service.stop() == 0
    decided = store.transitions(0, 1_000)
    assert len(decided) == PATIENTS

    forget_positions(tmp_path)
    with serving(ours) as service, httpx.Client(trust_env=False) as client:
        sinks.base = service.base()
        client.base_url = httpx.URL(sinks.base)
        sinks.read()
        eventually(lambda: figures(client)["caretally_duplicates_total"] == len(messages))
        assert command("rebuild", **config).code == 0
        assert command("ingest", "--history", history(tmp_path), **config).code == 0
        time.sleep(QUIET_SECONDS)
        assert sinks.told() == (PATIENTS,) * 3
        assert sinks.streamed == []
        suppressed = [row.suppressed for row in store.transitions(PATIENTS, 1_000)]
        assert suppressed == ["history"] * PATIENTS

        produce(settings.bootstrap, settings.events_topic, earned("live", 1))
        eventually(lambda: sinks.told() == (PATIENTS + 1,) * 3)
        assert service.stop() == 0
    eventually(lambda: len(sinks.streamed) == 1)
    assert json.loads(sinks.streamed[0][6:])["data"]["patient_id"] == "live0"
    store.close()


def forget_positions(folder: Path) -> None:
    """As if nothing had ever been read: the topic is read again from offset 0."""
    with sqlite3.connect(folder / "care.db") as database:
        gone = database.execute("DELETE FROM tracking WHERE application_name LIKE 'events-%'")
        assert gone.rowcount > 0


def history(folder: Path) -> Path:
    """Other patients' time of the same month, in a file."""
    path = folder / "history.jsonl"
    path.write_bytes(b"\n".join(message.value or b"" for message in earned("h", PATIENTS)))
    return path
