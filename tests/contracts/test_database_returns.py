"""A PostgreSQL that was away is used again soon after it is back, however long it was away."""

from __future__ import annotations

import time
from threading import Event, Thread

from infra.eventstore import open_store
from projections.ports import Store
from tests.postgres import database, local_postgres

AWAY_SECONDS = 8.5
SOON_SECONDS = 4.0
"""A try a second, and what a loaded machine may take. Waits that double would be in an eight."""


def ask_for_ever(store: Store, ended: Event) -> None:
    """As a process with work to do: whoever waits for a connection asks again when told no."""
    while not ended.is_set():
        try:
            store.head()
        except Exception:
            time.sleep(0.1)


def test_a_database_that_was_away_is_asked_again_every_second() -> None:
    with local_postgres() as server, database(server.url) as url:
        store, ended = open_store(url), Event()
        asking = [Thread(target=ask_for_ever, args=(store, ended)) for _ in range(3)]
        for thread in asking:
            thread.start()
        try:
            server.stop()
            time.sleep(AWAY_SECONDS)
            server.start()
            back = time.monotonic()
            store.head()
            assert time.monotonic() - back < SOON_SECONDS
        finally:
            ended.set()
            for thread in asking:
                thread.join()
            store.close()
