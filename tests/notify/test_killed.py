"""A notifier that is killed in the middle of a delivery: nothing is lost, no id is new."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from infra.clock import system_clock
from projections.deliveries import Deliveries
from projections.ports import Store
from services.notify.alertmanager import SINK
from services.notify.deliverable import event_id, message
from services.notify.signing import new_secret
from services.notify.subscribing import new_subscriber
from tests.notify.given import store_them, transition
from tests.receiver import Received, Receiver

ROOT = Path(__file__).parents[2]
KILLS = 4
PATIENTS, EACH = 40, 6


def started(database: str, alertmanager: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.notify.process", database, alertmanager]
    return subprocess.Popen(command, cwd=ROOT)


def told(other: Receiver) -> list[str]:
    """Posts that an Alertmanager would have had, by alert id."""
    return [a["labels"]["alert_id"] for got in other.got for a in got.json]


def test_every_transition_arrives_under_its_own_id_and_bytes_whenever_it_is_killed(
    database: str, store: Store, ledger: Deliveries, endpoint: Receiver, other: Receiver
) -> None:
    """Also where every seventh answer is a failure. Per patient, first arrivals are in order."""
    chance = random.Random(7)
    made = new_subscriber(endpoint.url, (), (), new_secret(), 0, system_clock(), True)
    ledger.add(made)
    ledger.begin(SINK)
    endpoint.delay = 0.01
    endpoint.answer = lambda _: (503 if len(endpoint.got) % 7 == 0 else 204, {})
    numbers = range(1, EACH + 1)
    rows = [transition(n, f"pt{p}") for n in numbers for p in range(PATIENTS)]
    store_them(store, rows)
    for _ in range(KILLS):
        process = started(database, other.url)
        before, end = len(endpoint.got), time.monotonic() + 10
        while len(endpoint.got) < before + chance.randrange(20, 60) and time.monotonic() < end:
            time.sleep(0.005)
        process.kill()
        process.wait()
    last = started(database, other.url)
    try:
        end = time.monotonic() + 30
        while ledger.next_due(made.id) is not None or len(set(endpoint.ids())) < len(rows):
            assert time.monotonic() < end, f"{len(set(endpoint.ids()))} of {len(rows)} came"
            time.sleep(0.02)
    finally:
        last.kill()
        last.wait()
    assert {got.id: got.body for got in endpoint.got} == {event_id(r): message(r) for r in rows}
    assert len({(got.id, got.body) for got in endpoint.got}) == len(rows)
    assert_in_order(endpoint.got)
    assert store.delivered(SINK) == len(rows)
    # Each alert's last transition resolves it, so none of them ever stood.
    assert set(told(other)) == {r.state.alert_id for r in rows}


def assert_in_order(got: list[Received]) -> None:
    seen: dict[str, list[int]] = {}
    for one in got:
        alert, _, number = one.id.rpartition(".")
        numbers = seen.setdefault(alert, [])
        if int(number) not in numbers:
            numbers.append(int(number))
    assert all(numbers == sorted(numbers) for numbers in seen.values())
