"""PostgreSQL goes away at the worst moments; the store tells the truth all the same."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from time import monotonic, sleep

import psycopg
import pytest
from eventsourcing.persistence import InterfaceError, OperationalError

from infra.eventstore.postgres import PostgresStore
from projections.ports import PositionPassed
from tests.contracts.cutting import CuttingWire
from tests.contracts.made import assessment, batch, contents, event

pytestmark = pytest.mark.postgres


@pytest.fixture
def wire(postgres_url: str) -> Iterator[CuttingWire]:
    line = CuttingWire(postgres_url)
    yield line
    line.close()


@pytest.fixture
def store(wire: CuttingWire) -> Iterator[PostgresStore]:
    opened = PostgresStore(wire.url)
    yield opened
    opened.close()


def test_a_commit_whose_answer_was_lost_is_recognised_as_done(
    wire: CuttingWire, store: PostgresStore
) -> None:
    """No error, nothing twice; sending it again is told as a repetition."""
    mine = batch(event(1), assessments=[assessment()], tracking={"feed/0": 1})
    wire.cut_at = "after"
    store.commit(mine)
    assert wire.cuts == 1
    assert (store.head(), store.tracking("feed/0")) == (1, 1)
    with pytest.raises(PositionPassed):
        store.commit(mine)


def test_a_lost_answer_is_recognised_by_position_where_there_are_no_events(
    wire: CuttingWire, store: PostgresStore
) -> None:
    wire.cut_at = "after"
    store.commit(batch(tracking={"feed/0": 1}))
    assert (wire.cuts, store.tracking("feed/0")) == (1, 1)


def test_a_commit_that_never_arrived_is_an_outage_and_wrote_nothing(
    wire: CuttingWire, store: PostgresStore
) -> None:
    before = contents(store)
    mine = batch(event(1), assessments=[assessment()], tracking={"feed/0": 1})
    wire.cut_at = "before"
    with pytest.raises((OperationalError, InterfaceError)):
        store.commit(mine)
    assert wire.cuts == 1
    assert contents(store) == before
    store.commit(mine)
    assert store.head() == 1


def end_backends(url: str, what: str) -> int:
    """Make the server end every connection whose last statement began like `what`."""
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE %s "
            "AND pid <> pg_backend_pid() AND datname = current_database()",
            (f"{what}%",),
        ).fetchall()
    return len(rows)


def listeners(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE query LIKE 'LISTEN%' AND datname = current_database()"
        ).fetchone()
    return int(row[0]) if row else 0


def until(wanted: int, url: str) -> bool:
    deadline = monotonic() + 5
    while listeners(url) != wanted and monotonic() < deadline:
        sleep(0.05)
    return listeners(url) == wanted


def test_waiting_survives_the_loss_of_its_line_and_listens_again(
    postgres_url: str,
) -> None:
    """Meanwhile the poll wakes in time; afterwards a listening connection is back."""
    store, writer = PostgresStore(postgres_url), PostgresStore(postgres_url)
    assert store.wait(0, 0.01) is False
    assert until(1, postgres_url)
    assert end_backends(postgres_url, "LISTEN") == 1
    late = Thread(target=lambda: (sleep(0.05), writer.commit(batch(event(1)))))
    started = monotonic()
    late.start()
    assert store.wait(0, 5)
    assert monotonic() - started < 0.05 + 0.2
    late.join()
    assert until(1, postgres_url)
    store.close()
    writer.close()


def test_connections_that_died_while_idle_are_replaced_unseen(postgres_url: str) -> None:
    store = PostgresStore(postgres_url)
    store.commit(batch(event(1)))
    assert end_backends(postgres_url, "") > 0
    store.commit(batch(event(2)))
    assert store.head() == 2
    store.close()
