"""A writer that falls silent with the log's lock in hand keeps the others waiting only so long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from threading import Thread
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from infra.eventstore import postgres_lock
from infra.eventstore.postgres import PostgresStore
from infra.eventstore.postgres_lock import lock_log
from infra.eventstore.postgres_recorder import copy_events
from tests.contracts.made import batch, event

pytestmark = pytest.mark.postgres


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_lock, "LOCK_SECONDS", 0.3)


@pytest.fixture
def store(postgres_url: str) -> Iterator[PostgresStore]:
    opened = PostgresStore(postgres_url)
    yield opened
    opened.close()


@pytest.fixture
def asleep(postgres_url: str) -> Iterator[psycopg.Connection[Any]]:
    """The connection of a writer that is about to stop in its tracks."""
    connection = psycopg.connect(postgres_url)
    yield connection
    with suppress(psycopg.Error):
        connection.close()


def refused_once_then_taken(store: PostgresStore) -> None:
    """The first try is an outage to whoever reads the feed; the next one goes through."""
    with pytest.raises(OperationalError):
        store.commit(batch(event(1)))
    store.commit(batch(event(1)))
    assert store.head() == 1


def test_one_that_stops_between_two_statements_is_put_out(
    store: PostgresStore, asleep: psycopg.Connection[Any]
) -> None:
    lock_log(asleep)
    refused_once_then_taken(store)
    with pytest.raises(psycopg.OperationalError):
        asleep.execute("SELECT 1")


def test_one_that_stops_while_it_copies_rows_is_put_out_and_none_of_them_stay(
    store: PostgresStore, asleep: psycopg.Connection[Any]
) -> None:
    """The server's own timeouts do not look at a session that waits in the middle of COPY."""
    lock_log(asleep)

    def rows() -> Iterator[tuple[str, int, str, bytes, bytes | None]]:
        for number in range(1, 9000):
            yield (f"p1/late{number}", 1, "time.logged.v1", b"x" * 500, None)
        refused_once_then_taken(store)
        yield ("p1/late", 1, "time.logged.v1", b"x", None)

    with pytest.raises(psycopg.OperationalError):
        copy_events(asleep.cursor(), rows())  # type: ignore[arg-type]
    assert [e.stream_id for e in store.log(0, 10)] == [event(1).stream_id]


def test_one_that_works_is_left_alone_however_long_it_takes(
    store: PostgresStore, asleep: psycopg.Connection[Any]
) -> None:
    """Waiting for it is an outage that passes."""
    lock_log(asleep)
    work = Thread(target=asleep.execute, args=("SELECT pg_sleep(2)",))
    work.start()
    with pytest.raises(OperationalError):
        store.commit(batch(event(1)))
    work.join()
    asleep.commit()
    store.commit(batch(event(1)))
    assert asleep.execute("SELECT 1").fetchone() == (1,)
