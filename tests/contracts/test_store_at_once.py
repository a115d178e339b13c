"""Every store under many events, and under several writers and readers at once."""

from __future__ import annotations

from threading import Barrier, Event, Thread

import pytest

from projections.ports import (
    KeysTaken,
    Store,
    StreamMoved,
)
from tests.contracts.made import (
    assessment,
    batch,
    event,
    stream,
)


def test_a_batch_of_five_thousand_events_is_one_batch(store: Store) -> None:
    events = [event(n // 100 + 1, f"pt{n % 100}") for n in range(5000)]
    store.commit(batch(*events, tracking={"feed/0": 4999}))
    assert store.head() == 5000
    log = store.log(0, 10_000)
    assert [e.position for e in log] == list(range(1, 5001))
    assert {e.key for e in log} == {e.key for e in events}
    streams = store.load([stream(f"pt{n}") for n in range(100)])
    assert {len(s.events) for s in streams.values()} == {50}
    taken = event(51, "pt0")._replace(key=events[4999].key)
    with pytest.raises(KeysTaken):
        store.commit(batch(*(event(51, f"pt{n}") for n in range(1, 100)), taken))


def test_versions_and_histories_of_thousands_can_be_asked_at_once(store: Store) -> None:
    store.commit(batch(*(event(1, f"pt{n}") for n in range(3000))))
    asked = [stream(f"pt{n}") for n in range(0, 6000, 2)]
    assert len(store.versions(asked)) == 1500
    assert len(store.versions()) == 3000
    loaded = store.load(asked)
    assert sum(len(s.events) for s in loaded.values()) == 1500
    assert len(loaded) == 3000


def test_of_two_writers_to_one_stream_one_wins(store: Store) -> None:
    """The other is told that the stream moved, and none of its batch is there."""
    barrier = Barrier(4)
    outcomes: list[str] = []

    def write(writer: int) -> None:
        barrier.wait()
        for version in range(1, 21):
            mine = event(version, id=f"{writer}-{version}")
            other = event(version, f"own{writer}")
            try:
                store.commit(batch(mine, other))
                outcomes.append("won")
            except StreamMoved:
                outcomes.append("moved")
                barrier_versions = store.versions([mine.stream_id])
                assert barrier_versions[mine.stream_id] >= version

    threads = [Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = store.log(0, 1000)
    assert outcomes.count("won") * 2 == len(log)
    assert len(outcomes) == 80
    shared = [e for e in log if e.stream_id == stream()]
    assert sorted(e.version for e in shared) == list(range(1, len(shared) + 1))
    assert len(shared) == 20


def test_readers_never_see_half_a_batch(store: Store) -> None:
    """While two writers write, log, assessments, versions and counts agree at every look."""
    stop, faults = Event(), list[str]()

    def write(writer: int) -> None:
        for version in range(1, 31):
            patients = [f"w{writer}-{n}" for n in range(10)]
            rows = [assessment(p, status=str(version)) for p in patients]
            store.commit(batch(*(event(version, p) for p in patients), assessments=rows))

    def read() -> None:
        while not stop.is_set():
            if len(store.log(0, 10_000)) % 10:
                faults.append("log")
            seen = [body.split(b'"status":"')[1] for body in store.assessments()]
            if any(seen.count(one) % 10 for one in set(seen)):
                faults.append("assessments")
            if any(one.split(b'"')[0] != one.split(b":")[1][:-1] for one in seen):
                faults.append("assessment beside its version")
            if store.counts()["events"] % 10:
                faults.append("counts")

    readers = [Thread(target=read) for _ in range(2)]
    writers = [Thread(target=write, args=(n,)) for n in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    assert faults == []
    assert store.counts()["events"] == 600


def test_a_tailing_reader_misses_nothing(store: Store) -> None:
    """Positions follow each other without a gap in the order of commits, refusals included."""
    seen: list[int] = []
    done = Event()

    def tail() -> None:
        while not (done.is_set() and store.head() == len(seen)):
            store.wait(seen[-1] if seen else 0, 0.05)
            seen.extend(e.position for e in store.log(seen[-1] if seen else 0, 1000))

    def write(writer: int) -> None:
        for version in range(1, 31):
            store.commit(batch(*(event(version, f"w{writer}-{n}") for n in range(5))))
            with pytest.raises(StreamMoved):
                store.commit(batch(event(99, f"w{writer}-x{version}"), event(1, f"w{writer}-0")))

    reader = Thread(target=tail)
    writers = [Thread(target=write, args=(n,)) for n in range(3)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert seen == list(range(1, 451))


def test_closing_twice_is_no_error(store: Store) -> None:
    store.close()
    store.close()
