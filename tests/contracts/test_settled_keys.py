"""On SQLite a key is taken once and for all, whether it has settled or not."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra import codec
from infra.eventstore import open_store, sqlite_keys
from infra.eventstore.schema import steps
from infra.eventstore.sqlite import SQLiteStore
from projections.ports import KeysTaken
from services.audit.proving import Unprovable, event_named
from tests.contracts.made import batch, event

NAMES = [f"e{number}" for number in range(600)]


def key(name: str) -> bytes:
    return codec.event_key("urn:test:ehr", name)


def counted(path: Path) -> tuple[int, int, int]:
    """How many keys are new, how many are recent, and how many have settled."""
    connection = sqlite3.connect(path)
    tables = ("new_keys", "recent_keys", "settled_keys")
    counts = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]
    connection.close()
    new, recent, settled = counts
    return new, recent, settled


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
def store(path: Path) -> Iterator[SQLiteStore]:
    opened = SQLiteStore(str(path))
    yield opened
    opened.close()


@pytest.fixture(params=["few at once", "many at once", "gathered by ten"])
def quickly(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slice settles with every event, whichever way keys take to the recent ones."""
    ways = {"few at once": (1, 1_000), "many at once": (10**9, 0), "gathered by ten": (10, 8)}
    gathered, large = ways[request.param]
    monkeypatch.setattr(sqlite_keys, "EVENTS_GATHERED", gathered)
    monkeypatch.setattr(sqlite_keys, "LARGE_TRANSACTION", large)
    monkeypatch.setattr(sqlite_keys, "EVENTS_PER_SLICE", 1)
    monkeypatch.setattr(sqlite_keys, "SHORT_LOG_EVENTS", 0)


def test_new_keys_are_gathered_before_they_are_recent(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a large transaction are recent at once; none can be taken again on the way."""
    monkeypatch.setattr(sqlite_keys, "EVENTS_GATHERED", 100)
    monkeypatch.setattr(sqlite_keys, "LARGE_TRANSACTION", 50)
    steps = [(10, (10, 0, 0)), (60, (10, 60, 0)), (29, (39, 60, 0)), (1, (0, 100, 0))]
    names = iter(NAMES)
    for count, left in steps:
        part = [next(names) for _ in range(count)]
        store.commit(batch(*(event(1, f"pt-{name}", name) for name in part)))
        assert counted(path) == left
        for name in {NAMES[0], part[0], part[-1]}:
            for others in (0, 60):
                said = [event(number, "other", f"x{number}") for number in range(1, others + 1)]
                with pytest.raises(KeysTaken) as caught:
                    store.commit(batch(*said, event(others + 1, "other", name)))
                assert caught.value.taken == {key(name): f"p1/pt-{name}"}
        assert counted(path) == left


@pytest.mark.parametrize("way", ["few at once", "many at once"])
def test_keys_settle_slice_by_slice_while_the_log_grows(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(sqlite_keys, "EVENTS_GATHERED", 1)
    monkeypatch.setattr(sqlite_keys, "LARGE_TRANSACTION", 0 if way == "many at once" else 10)
    monkeypatch.setattr(sqlite_keys, "EVENTS_PER_SLICE", 1)
    monkeypatch.setattr(sqlite_keys, "SHORT_LOG_EVENTS", 0)
    for number, name in enumerate(NAMES[:100]):
        store.commit(batch(event(1, f"pt{number}", name)))
    # Slice 0 settled with the first event, slice 1 with the second, and so on.
    due = [name for number, name in enumerate(NAMES[:100]) if number <= key(name)[0] < 100]
    assert len(due) > 5
    assert counted(path) == (0, 100 - len(due), len(due))


def test_keys_of_a_short_log_stay_where_they_are(
    store: SQLiteStore, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_keys, "LARGE_TRANSACTION", 0)
    monkeypatch.setattr(sqlite_keys, "EVENTS_PER_SLICE", 1)
    monkeypatch.setattr(sqlite_keys, "SHORT_LOG_EVENTS", 601)
    store.commit(batch(*(event(1, f"pt-{name}", name) for name in NAMES)))
    assert counted(path) == (0, len(NAMES), 0)
    store.commit(batch(*(event(1, f"pt-x{name}", f"x{name}") for name in NAMES)))
    assert counted(path) == (0, 0, 2 * len(NAMES))


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("size", [1, 7, 300, 600])
def test_every_key_has_one_holder_in_transactions_of_any_size(
    store: SQLiteStore, path: Path, size: int
) -> None:
    """Also where one transaction goes round all slices, or beyond the last and on at the first."""
    for at in range(0, len(NAMES), size):
        part = NAMES[at : at + size]
        store.commit(batch(*(event(1, f"pt-{name}", name) for name in part)))
    assert sum(counted(path)) == len(NAMES)
    assert store.holders([key(name) for name in NAMES]) == {
        key(name): f"p1/pt-{name}" for name in NAMES
    }
    for name in NAMES[::37]:
        with pytest.raises(KeysTaken) as caught:
            store.commit(batch(event(1, "other", "new"), event(2, "other", name)))
        assert caught.value.taken == {key(name): f"p1/pt-{name}"}
    assert store.head() == sum(counted(path)) == len(NAMES)


def test_a_new_and_a_settled_key_are_named_together(store: SQLiteStore, path: Path) -> None:
    store.commit(batch(event(1, "pt1", "a")))
    _settle_all(path)
    store.commit(batch(event(1, "pt2", "b")))
    assert counted(path) == (1, 0, 1)
    with pytest.raises(KeysTaken) as caught:
        store.commit(batch(event(1, "pt3", "a"), event(2, "pt3", "b"), event(3, "pt3", "c")))
    assert caught.value.taken == {key("a"): "p1/pt1", key("b"): "p1/pt2"}


@pytest.mark.usefixtures("quickly")
def test_what_is_not_committed_settles_nothing(store: SQLiteStore, path: Path) -> None:
    store.commit(batch(*(event(1, f"pt-{name}", name) for name in NAMES[:50])))
    before = counted(path)
    with pytest.raises(KeysTaken):
        store.commit(batch(*(event(2, f"pt-{n}", f"x{n}") for n in NAMES), event(1, "pt", "e0")))
    assert counted(path) == before


def test_a_database_of_an_older_release_keeps_its_keys(path: Path) -> None:
    """The index they were in is gone; what it knew is known."""
    old = sqlite3.connect(path, isolation_level=None)
    old.execute("CREATE TABLE schema_version (version INTEGER PRIMARY KEY)")
    for step in steps("sqlite")[:14]:
        for statement in step.statements:
            old.execute(statement)
        old.execute("INSERT INTO schema_version VALUES (?)", (step.version,))
    insert = (
        "INSERT INTO stored_events (originator_id, originator_version, topic, state, event_key) "
        "VALUES (?, 1, 'time.voided.v1', x'7b7d', ?)"
    )
    old.executemany(insert, [("p1/pt1", key("a")), ("p1/pt2", key("b")), ("p1/pt3", None)])
    old.close()
    store = open_store(f"sqlite:///{path}")
    assert store.holders([key("a"), key("b"), key("c")]) == {key("a"): "p1/pt1", key("b"): "p1/pt2"}
    with pytest.raises(KeysTaken):
        store.commit(batch(event(1, "pt4", "a")))
    store.close()
    assert counted(path) == (0, 0, 2)


def test_an_event_whose_own_key_was_changed_is_not_found_by_it(
    store: SQLiteStore, path: Path
) -> None:
    """Who changes the log past us leaves the keys behind; a proof says that there is none."""
    store.commit(batch(event(1, "pt1", "a")))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE stored_events SET event_key = x'00'")
    connection.close()
    with pytest.raises(Unprovable, match="no event has source 'urn:test:ehr' and id 'a'"):
        event_named(store, "urn:test:ehr", "a")


def _settle_all(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO settled_keys SELECT * FROM new_keys")
    connection.execute("DELETE FROM new_keys")
    connection.commit()
    connection.close()
