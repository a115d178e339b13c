"""Power loss under SQLite: after any cut the store holds a whole number of transactions, and no
transaction that was acknowledged is missing.

    python -m tests.crash.torn 1000 7 [NORMAL]

records one run of the product's ingest down to every write and sync, cuts it at that many random
operations, opens what a power loss may have left, and compares it with a store in memory that took
the same transactions. Prints the figures as JSON. With NORMAL, SQLite's own default for a
write-ahead log, transactions are acknowledged before they are synced: it must fail.
"""

from __future__ import annotations

import hashlib
import json
import random
import sqlite3
import sys
import tempfile
from itertools import count, islice
from pathlib import Path

from eventsourcing.sqlite import SQLiteConnection

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore import MemoryStore, sqlite_recorder
from infra.eventstore.sqlite import SQLiteStore
from infra.eventstore.sqlite_recorder import CarePool
from projections.ports import Store
from services.ingest import Delivery, Ingest
from tests.crash.disk import Operation, Shim, after_power_loss, write
from tests.crash.world import messages

FEED = "feed/0"
BATCHES, MESSAGES = 150, 20
CHECKPOINT_PAGES = 60
"""A checkpoint every few transactions; the product waits for 32 MiB."""

NOW_US = 1_741_190_400_000_000
Batch = list[Delivery]


def batches(seed: int, number: int) -> list[Batch]:
    feed = messages(seed)
    return [
        [
            Delivery(m.value, m.key, tuple((n, bytes(v or b"")) for n, v in m.headers), f"{b}@{i}")
            for i, m in enumerate(islice(feed, MESSAGES))
        ]
        for b in range(number)
    ]


def core(store: Store, first: int = 0) -> Ingest:
    """An ingest core whose clock ticks once a transaction: equal runs, equal bytes."""
    ticks = count(NOW_US + first * 1000, 1000)
    return Ingest(store, lambda: next(ticks), BOOK, lambda _: Policy())


def digest(store: Store) -> str:
    """Everything a reader can see, in one hash."""
    seen = hashlib.sha256()
    for part in (
        store.tracking(FEED),
        store.log(0, 1_000_000),
        [bytes(a) for a in store.assessments()],
        [(t.position, t.state, t.body) for t in store.transitions(0, 1_000_000)],
        [(d.origin, d.reason, d.value) for d in store.dead_letters(0, 1_000_000)],
    ):
        seen.update(repr(part).encode())
    return seen.hexdigest()


def expected(work: list[Batch]) -> list[str]:
    """The digest after each number of transactions, from a store that has no disk."""
    store = MemoryStore()
    ingest = core(store)
    digests = [digest(store)]
    for number, batch in enumerate(work):
        ingest.take(batch, {FEED: number})
        digests.append(digest(store))
    return digests


class Relaxed(CarePool):
    """A pool that does not wait for the disk at every commit."""

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        connection.cursor().execute("PRAGMA synchronous=NORMAL")
        return connection


def recorded(work: list[Batch]) -> list[Operation]:
    """Every operation of a run on the real disk; `acknowledged` ones are the product's answers."""
    operations: list[Operation] = []
    Shim(operations.append).install()
    sqlite_recorder.CHECKPOINT_PAGES = CHECKPOINT_PAGES
    with tempfile.TemporaryDirectory() as folder:
        store = SQLiteStore(f"{folder}/store.db")
        ingest = core(store)
        for number, batch in enumerate(work):
            ingest.take(batch, {FEED: number})
            operations.append(Operation("acknowledged", "", number + 1))
        store.close()
    return list(operations)  # the shim stays, and goes on noting


def check(operations: list[Operation], digests: list[str], rng: random.Random) -> tuple[int, int]:
    """Cut once. Returns the transactions that were acknowledged, and those that were found."""
    cut = operations[: rng.randrange(len(operations) + 1)]
    acknowledged = max((o.offset for o in cut if o.kind == "acknowledged"), default=0)
    files = after_power_loss([o for o in cut if o.kind != "acknowledged"], rng)
    with tempfile.TemporaryDirectory() as folder:
        write(files, Path(folder))
        path = f"{folder}/store.db"
        store = SQLiteStore(path)
        last = store.tracking(FEED)
        found = 0 if last is None else last + 1
        assert acknowledged <= found <= acknowledged + 1, f"{acknowledged} said, {found} found"
        assert digest(store) == digests[found], f"not what {found} transactions give"
        store.close()
        with sqlite3.connect(path) as plain:
            assert plain.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        plain.close()
    return acknowledged, found


def main(cuts: int, seed: int, synchronous: str = "FULL") -> dict[str, int]:
    if synchronous == "NORMAL":
        sqlite_recorder.CarePool = Relaxed  # type: ignore[misc]
    work = batches(seed, min(BATCHES, cuts))  # few cuts need no long run
    digests = expected(work)
    operations = recorded(work)
    rng = random.Random(seed)
    early = held = 0
    for number in range(cuts):
        try:
            acknowledged, found = check(operations, digests, rng)
        except Exception as error:
            raise AssertionError(f"cut {number} of seed {seed}: {error}") from error
        early += found > acknowledged
        held += 1
    kinds = [o.kind for o in operations]
    return {
        "seed": seed,
        "cuts": cuts,
        "transactions": len(work),
        "writes": kinds.count("write"),
        "syncs": kinds.count("sync"),
        "cuts after which exactly the acknowledged were found": held - early,
        "cuts after which one more was found, whole": early,
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])))
