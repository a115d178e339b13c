"""A database is set up by itself, moves forward only, and a newer one is left alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from threading import Barrier, Thread

import psycopg
import pytest

from infra.eventstore import MemoryStore, SchemaTooNew, open_store
from infra.eventstore.schema import steps
from tests.contracts.made import batch, event


def all_steps(url: str) -> list[str]:
    """What the set-up of a fresh database says."""
    dialect = "sqlite" if url.startswith("sqlite") else "postgres"
    return [f"schema version {step.version} applied" for step in steps(dialect)]


def execute(url: str, statement: str) -> None:
    """Run one statement past the store."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute(statement)
        connection.close()
    else:
        with psycopg.connect(url, autocommit=True) as server:
            server.execute(statement.encode())


@pytest.mark.parametrize("dialect", ["sqlite", "postgres"])
def test_steps_are_numbered_from_one_without_a_gap(dialect: str) -> None:
    numbers = [step.version for step in steps(dialect)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(step.statements for step in steps(dialect))


def test_a_fresh_database_is_set_up_and_said_so_once(durable_url: str) -> None:
    first, second = list[str](), list[str]()
    store = open_store(durable_url, first.append)
    store.commit(batch(event(1)))
    store.close()
    again = open_store(durable_url, second.append)
    assert first == all_steps(durable_url)
    assert second == []
    assert again.head() == 1
    again.close()


def test_a_fresh_database_may_be_opened_by_many_at_once(durable_url: str) -> None:
    said, barrier = list[str](), Barrier(6)

    def open_one() -> None:
        barrier.wait()
        open_store(durable_url, said.append).close()

    threads = [Thread(target=open_one) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said == all_steps(durable_url)


def test_a_newer_schema_is_refused_and_left_alone(durable_url: str) -> None:
    open_store(durable_url).close()
    execute(durable_url, "INSERT INTO schema_version VALUES (99)")
    known = len(all_steps(durable_url))
    for _ in range(2):
        with pytest.raises(SchemaTooNew, match=rf"schema version 99.*knows up to {known}:"):
            open_store(durable_url)


def test_positions_are_not_given_out_again_after_a_deletion(tmp_path: Path) -> None:
    """A reader that has passed a position must never find another event there."""
    url = f"sqlite:///{tmp_path}/log.db"
    store = open_store(url)
    store.commit(batch(event(1), event(2)))
    execute(url, "DELETE FROM stored_events WHERE position = 2")
    store.commit(batch(event(2, id="other")))
    assert [e.position for e in store.log(0, 10)] == [1, 3]
    store.close()


def test_a_file_database_is_fully_synchronised_and_in_wal_mode(tmp_path: Path) -> None:
    from infra.eventstore.sqlite_recorder import CareDatastore

    datastore = CareDatastore(str(tmp_path / "log.db"))
    with datastore.transaction(commit=False) as c:
        c.execute("PRAGMA synchronous")
        assert c.fetchone()[0] == 2
        c.execute("PRAGMA journal_mode")
        assert c.fetchone()[0] == "wal"
    datastore.close()


def test_relative_paths_and_memory_are_understood(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store("sqlite:///here.db")
    store.close()
    assert (tmp_path / "here.db").exists()
    assert isinstance(open_store("memory:"), MemoryStore)


@pytest.mark.parametrize("url", ["", "sqlite:", "sqlite:///", "log.db", "mysql://u:secret@h/db"])
def test_any_other_url_is_refused_with_what_is_expected(url: str) -> None:
    with pytest.raises(ValueError, match="expected sqlite:///FILE") as caught:
        open_store(url)
    assert "secret" not in str(caught.value)


def test_a_database_that_cannot_be_opened_says_which(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"missing/log\.db"):
        open_store(f"sqlite:///{tmp_path}/missing/log.db")
