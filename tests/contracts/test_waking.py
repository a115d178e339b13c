"""Whoever waits for the log is woken within 200 ms, by threads and by other processes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from time import monotonic, sleep

import pytest

from infra.eventstore import open_store
from projections.ports import Store
from tests.contracts.made import batch, event

WAKE_SECONDS = 0.2

WRITER = """
import sys, time
from infra.eventstore import open_store
from tests.contracts.made import batch, event
store = open_store(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    store.commit(batch(event(int(line), "other")))
    print(time.monotonic(), flush=True)
store.close()
"""


@pytest.fixture
def writer(durable_url: str) -> Iterator[subprocess.Popen[str]]:
    """Another process on the same database that writes one event a line and says when."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, durable_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    yield process
    process.communicate(timeout=10)


def say(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdin is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()


def test_waiting_ends_when_nothing_comes(store: Store) -> None:
    started = monotonic()
    assert store.wait(0, 0.1) is False
    assert 0.09 <= monotonic() - started < 1


def test_what_is_there_already_is_not_waited_for(store: Store) -> None:
    store.commit(batch(event(1)))
    assert store.wait(0, 0) is True
    assert store.wait(1, 0) is False


def test_a_thread_is_woken(store: Store) -> None:
    woken = list[float]()
    ready = Event()

    def wait() -> None:
        ready.set()
        assert store.wait(0, 5)
        woken.append(monotonic())

    thread = Thread(target=wait)
    thread.start()
    ready.wait()
    sleep(0.05)
    store.commit(batch(event(1)))
    written = monotonic()
    thread.join()
    assert woken[0] - written < WAKE_SECONDS


def test_another_process_is_woken(durable_url: str, writer: subprocess.Popen[str]) -> None:
    store = open_store(durable_url)
    for version in (1, 2, 3):
        said = Thread(target=lambda v=version: (sleep(0.05), say(writer, str(v))))
        said.start()
        assert store.wait(version - 1, 5)
        woken = monotonic()
        said.join()
        assert writer.stdout is not None
        assert woken - float(writer.stdout.readline()) < WAKE_SECONDS
    store.close()


def test_a_subscription_sees_what_other_processes_write(
    durable_url: str, writer: subprocess.Popen[str]
) -> None:
    """The library's own `subscribe()`: past events, then new ones, in order of position."""
    store = open_store(durable_url)
    store.commit(batch(event(1), event(2)))
    with store.recorder.subscribe(gt=1) as subscription:  # type: ignore[attr-defined]
        assert next(subscription).id == 2
        say(writer, "1")
        assert writer.stdout is not None
        writer.stdout.readline()
        received = next(subscription)
        assert (received.id, received.originator_id) == (3, "p1/other")
        store.commit(batch(event(3)))
        assert next(subscription).id == 4
    store.close()


def test_a_subscription_can_be_narrowed_to_topics(durable_url: str) -> None:
    store = open_store(durable_url)
    store.commit(batch(event(1)))
    topics = ["time.logged.v1"]
    with store.recorder.subscribe(topics=topics) as subscription:  # type: ignore[attr-defined]
        store.commit(batch(event(2)))
        Thread(target=lambda: (sleep(0.3), subscription.stop())).start()
        assert list(subscription) == []
    store.close()
