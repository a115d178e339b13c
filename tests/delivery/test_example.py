"""The example of the subscriber's guide, run as it stands against a real broker."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from infra.eventstore import open_store
from infra.eventstore.transactions import sqlite_transaction
from infra.kafka.settings import KafkaSettings
from projections.ports import Store
from services.notify.deliverable import deliverable, event_id
from services.relay import relays
from tests.delivery.feed import ready, staff_time
from tests.delivery.service import until
from tests.delivery.test_states import take, voided

EXAMPLE = Path(__file__).parents[2] / "examples" / "subscriber.py"


class Example:
    """The process, started and killed as often as a test likes; what it printed is kept."""

    def __init__(self, settings: KafkaSettings, folder: Path) -> None:
        self._arguments = [settings.bootstrap, settings.alerts_topic, str(folder / "alerts.db")]
        self._printed = folder / "printed"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._printed.open("ab") as printed:
            command = [sys.executable, str(EXAMPLE), *self._arguments]
            self._process = subprocess.Popen(command, stdout=printed)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def acted(self) -> list[str]:
        return self._printed.read_text().splitlines() if self._printed.exists() else []

    def knows(self) -> dict[str, tuple[int, str]]:
        try:
            with sqlite3.connect(self._arguments[-1]) as db:
                rows = db.execute("SELECT id, transition, state FROM alerts").fetchall()
        except sqlite3.OperationalError:  # it has not begun yet
            return {}
        return {id: (transition, state) for id, transition, state in rows}


@pytest.fixture
def store(database: str) -> Store:
    return open_store(database)


def stand(store: Store) -> dict[str, tuple[int, str]]:
    return {
        row.state.alert_id: (row.state.transition, "raised" if row.state.raised else "resolved")
        for row in deliverable(store, 0, 100_000).rows
    }


def test_it_is_about_twenty_lines() -> None:
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and line[0] not in '"#']
    assert len(lines) <= 24  # four of them imports


async def test_it_acts_once_on_every_transition_through_kills_repetitions_and_retractions(
    settings: KafkaSettings, store: Store, tmp_path: Path
) -> None:
    """It is killed between deliveries, everything is sent a second time, and time is withdrawn."""
    entries = [staff_time(f"pt{n}", 1, 1300) for n in range(10)]
    take(store, [event for n in range(10) for event in ready(f"pt{n}")] + entries)
    running = relays(settings, store)
    example = Example(settings, tmp_path)
    try:
        example.start()
        for relay in running:
            await relay.start()
        await until(lambda: example.knows() == stand(store))
        example.kill()
        take(store, [voided(entry) for entry in entries[:5]])
        with sqlite_transaction(store)(True) as c:
            c.execute("DELETE FROM delivered")  # a ledger that was lost: all is sent once more
        example.start()
        await until(lambda: example.knows() == stand(store))
        take(store, [staff_time("pt9", 2, 1300)])
        await until(lambda: example.knows() == stand(store))
    finally:
        example.kill()
        for relay in running:
            await relay.stop()
    rows = deliverable(store, 0, 100_000).rows
    decided = Counter(event_id(row) for row in rows)
    acted = Counter(line.split()[0] for line in example.acted())
    assert set(acted) == set(decided)
    assert all(times == 1 for times in acted.values())
    # On the last days of a month, patients short of the threshold are told of besides.
    reached = {row.state.alert_id for row in rows if row.state.type == "threshold.reached"}
    states = [state for id, (_, state) in example.knows().items() if id in reached]
    assert states.count("resolved") == 5
    store.close()
