"""The log folded anew for an audit and a rebuild, beside folds of the same log in memory.

`python -m benchmarks.replay`. Sides, each run in a process of its own:

* `dict fold`: what a script would do with the log in memory: JSON to dicts, the standing entries of
  each patient, their seconds by month, and at each event the units that it reaches or takes back.
  It is the dict of the table of peers (`python -m benchmarks`). No prerequisites, no reasons, no
  alerts of other types; it must come to the same seconds and units. It begins with the stored
  bytes, as all sides do: `json.loads` is nearly half of its time.
* `dict sums`: less than is asked: the seconds and units at the end, without what changed when.
* `our fold`: the same log in memory, folded by the product, every alert transition decided event by
  event and every assessment made; nothing is read and nothing compared.
* `replay --verify`: the same from the database, each assessment and transition compared with what
  is stored, in one process and in two.
* `rebuild`: all assessments made anew beside the live ones, compared and put in their place.

All of the log was recorded two weeks after the last contact, in the middle of a month: a backlog,
whose months are over and whose alerts are told. Folds, and one process on SQLite, are rated by
computing time, so that what else happens on the machine does not count; two processes, and all on
PostgreSQL, by the clock; of fewer than a million lines (`--events`) two processes spend much of
it on their starts. Then the peak memory of a process at each size of the log (`--upto 10000000`
for ten million lines: half an hour of ingest).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.folds import POLICY, Totals, dict_fold, dict_sums, our_fold
from benchmarks.peers.harness import peak_bytes
from benchmarks.workload import lines
from domain.rules import BOOK
from infra.eventstore import open_store
from infra.settings import load_settings
from projections.ports import Store, StoredEvent
from services.bootstrap import calm_collector, composed
from services.ingest import Delivery, Ingest
from tests.postgres import database, local_postgres

RESULTS = Path(__file__).parent / "results" / "replay.json"
CHUNK_EVENTS = 100_000
BATCH = 4_000
MIB = 1 << 20
RECORDED_AT_US = int(datetime(2025, 4, 15, 12, tzinfo=UTC).timestamp()) * 1_000_000
"""When all of the log came in: the figures must not hang on the day on which they are taken."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run: computing time and time by the clock, both of the work alone."""

    side: str
    events: int
    cpu_seconds: float
    seconds: float
    memory_bytes: int

    @property
    def rate(self) -> float:
        """Events a second, by whichever clock is right for the side."""
        in_memory = self.side.endswith(tuple(FOLDS))
        alone = self.side.startswith("sqlite")
        by_computing = in_memory or (alone and not self.side.endswith("2"))
        return self.events / (self.cpu_seconds if by_computing else self.seconds)


def verify(processes: int) -> int:
    """The product's own command without its words; the number of events."""
    from services.audit.refolding import refold_all

    with composed(load_settings()) as parts:
        found = refold_all(parts, processes, lambda _patients: None)
    if found.deviations:
        sys.exit(f"{len(found.deviations)} things differ, such as {found.deviations[0]}")
    return found.events


def remake(_: int) -> int:
    """`caretally rebuild`, likewise."""
    from infra.eventstore.rebuilding import open_rebuilding
    from services.rebuilding import Remaker, rebuild

    with composed(load_settings()) as parts:
        port = open_rebuilding(parts.store)
        remaker = Remaker(parts.book, parts.settings.policy_of)
        rebuild(port, remaker, parts.making, lambda _progress, _made: None)
        if differences := list(port.differences()):
            sys.exit(f"{len(differences)} months differ, such as {differences[0]}")
        return parts.store.counts()["events"]


FOLDS: dict[str, Callable[[list[StoredEvent]], Totals]] = {
    "dict fold": dict_fold,
    "dict sums": dict_sums,
    "our fold": our_fold,
}
COMMANDS: dict[str, Callable[[int], int]] = {"replay --verify": verify, "rebuild": remake}
SIDES = (*FOLDS, "replay --verify 1", "replay --verify 2", "rebuild 1")


def run(side: str, url: str) -> Ran:
    """One side's work, in this process."""
    name, _, count = side.rpartition(" ")
    fold = FOLDS.get(side)
    log: list[StoredEvent] = open_store(url).log(0, 1 << 40) if fold is not None else []
    calm_collector()
    cpu, began = time.process_time(), time.perf_counter()
    if fold is not None:
        fold(log)
    events = len(log) if fold is not None else COMMANDS[name](int(count))
    cpu, seconds = time.process_time() - cpu, time.perf_counter() - began
    return Ran(f"{url.partition(':')[0]} {side}", events, cpu, seconds, peak_bytes())


def aside(side: str, url: str) -> Ran:
    command = [sys.executable, "-m", "benchmarks.replay", "--side", side]
    environment = {**os.environ, "CARETALLY_DATABASE": url}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return Ran(**json.loads(done.stdout))


def grow(store: Store, upto: int) -> None:
    """Ingest until the log has about `upto` lines' events, chunk by chunk of new patients."""
    ingest = Ingest(store, lambda: RECORDED_AT_US, BOOK, lambda _: POLICY)
    patients = store.counts()["patients"]
    while patients * 50 < upto:
        said = list(lines(min(CHUNK_EVENTS, upto), seed=patients + 1, first=patients))
        for at in range(0, len(said), BATCH):
            part = [Delivery(line, None, (), "bench") for line in said[at : at + BATCH]]
            ingest.take(part)
        patients = store.counts()["patients"]
        print(f"{patients * 50:,} lines ingested", file=sys.stderr)


def main() -> None:
    """Check that the folds agree, measure, print, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upto", type=int, default=1_000_000, help="lines in the longest log")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--events", type=int, default=1_000_000, help="lines of the log raced on")
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(asdict(run(options.side, os.environ["CARETALLY_DATABASE"]))))
        return
    results: dict[str, Any] = {"rates": {}, "memory": []}
    for name in options.stores:
        with _database(name) as url:
            store = open_store(url)
            size = CHUNK_EVENTS
            while name == "sqlite" and size < options.events:
                grow(store, size)
                results["memory"].append(_memory(url))
                size *= 10
            grow(store, options.events)
            _check_same(store)
            results["rates"][name] = _rates(name, url, options.rounds)
            while name == "sqlite" and size <= options.upto:
                grow(store, size)
                results["memory"].append(_memory(url))
                size *= 10
            store.close()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


@contextmanager
def _database(name: str) -> Iterator[str]:
    if name == "sqlite":
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            yield f"sqlite:///{folder}/log.db"
    else:
        with local_postgres() as server, database(server.url) as url:
            yield url


def _check_same(store: Store) -> None:
    log = store.log(0, 1 << 40)
    ours = our_fold(log)
    for plain in (dict_fold(log), dict_sums(log)):
        for key in plain.keys() | ours.keys():
            if plain.get(key) != ours.get(key):
                sys.exit(f"the folds disagree on {key}: {plain.get(key)} and {ours.get(key)}")


def _rates(store: str, url: str, rounds: int) -> dict[str, int]:
    runs = [aside(side, url) for _ in range(rounds) for side in SIDES]
    best = {side: max(one.rate for one in runs if one.side.endswith(side)) for side in SIDES}
    print(f"{store:22}{'events/s':>10}{'of dict fold':>14}{'of our fold':>13}")
    for side, rate in best.items():
        plain, own_fold = rate / best["dict fold"], rate / best["our fold"]
        print(f"{side:22}{rate:>10,.0f}{plain:>14.2f}{own_fold:>13.2f}")
    twice = best["replay --verify 2"] / best["replay --verify 1"]
    print(f"two processes {twice:.2f} x one; all folds agree on every patient-month\n")
    return {side: round(rate) for side, rate in best.items()}


def _memory(url: str) -> dict[str, Any]:
    ran = aside("replay --verify 1", url)
    peak, rate = ran.memory_bytes / MIB, ran.rate
    print(f"{ran.events:>12,} events: {rate:>8,.0f} events/s, peak {peak:,.0f} MiB", flush=True)
    return {"events": ran.events, "events_per_s": round(rate), "peak_mib": round(peak)}


if __name__ == "__main__":
    main()
