"""On SQLite keys of events lie beside the log; the doctor finds those that went astray."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from infra.eventstore import inspection, open_store, sqlite_keys
from tests.contracts.made import batch, event
from tests.postgres import postgres_server, postgres_url

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Twelve events, whose keys lie in all three tables."""
    monkeypatch.setattr(sqlite_keys, "EVENTS_GATHERED", 5)
    monkeypatch.setattr(sqlite_keys, "SHORT_LOG_EVENTS", 0)
    monkeypatch.setattr(sqlite_keys, "EVENTS_PER_SLICE", 1)
    monkeypatch.setattr(sqlite_keys, "_bound", lambda number: bytes([min(255, 20 * number)]))
    url = f"sqlite:///{tmp_path / 'log.db'}"
    store = open_store(url)
    for number in range(12):
        store.commit(batch(event(1, f"pt{number}", f"e{number}")))
    store.close()
    return url


def changed(url: str, statement: str) -> int:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        return connection.execute(statement).rowcount


@pytest.mark.parametrize("table", sqlite_keys.KEY_TABLES)
def test_a_lost_key_is_found_in_each_table(url: str, table: str) -> None:
    assert inspection.keys_astray(url) == (0, 0)
    lost = changed(url, f"DELETE FROM {table} WHERE position = (SELECT max(position) FROM {table})")
    assert lost == 1
    assert inspection.keys_astray(url) == (1, 0)


@pytest.mark.parametrize("table", sqlite_keys.KEY_TABLES)
def test_a_key_of_no_event_and_one_of_another_are_found(url: str, table: str) -> None:
    changed(url, f"INSERT INTO {table} VALUES (x'00112233445566778899aabbccddeeff', 99)")
    assert inspection.keys_astray(url) == (0, 1)
    assert changed(url, f"UPDATE {table} SET position = position + 50 WHERE position < 50") > 0
    lost, idle = inspection.keys_astray(url)
    assert lost > 0
    assert idle == lost + 1


def test_on_postgresql_they_are_an_index(postgres_url: str) -> None:
    assert inspection.keys_astray(postgres_url) == (0, 0)
