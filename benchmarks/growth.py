"""What growth costs: long histories, and a long log. `python -m benchmarks.growth`.

Three tables, all on SQLite in a file, every transaction synced to disk:

1. Loading a patient of 20, 2,000 and 20,000 events: the whole history folded, a snapshot with the
   longest tail there can be (the next one is due at the next event), and a new snapshot. The
   second figure adds the first event after the load, folded and assessed. Best of the rounds.
2. An event for a patient with 20 and with 20,000 entries, by turns: the whole way through ingest,
   snapshots included, and the memory that the patient takes when it is loaded again.
3. A log that grows to 100,000 and 1,000,000 events (`--upto 10000000` for ten million): what a
   further event costs, for the store alone, for the whole ingest of new patients and for a line
   of a large file; how long a process takes to start again after a kill, and the memory of one
   that takes 80,000 events.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.biglog import BigLog
from benchmarks.longhistory import entry, history
from benchmarks.startup import start_after_kill
from benchmarks.workload import lines as lines_of_patients
from domain.event import Event
from domain.patient import Patient, evolve
from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.codec import decode_event, link, stream_id
from infra.eventstore import open_store
from infra.packed_archive import PackedArchive
from infra.snapshots import is_due, snapshot
from projections.ports import Batch, Snapshot, Store
from services.bootstrap import calm_collector
from services.doors.files import ingest_file
from services.ingest import Delivery, Ingest
from services.ingest.patients import HotPatients
from services.wire.decode import Accepted, decode_structured

RESULTS = Path(__file__).parent / "results" / "growth.json"
LENGTHS = (20, 2_000, 20_000)
LONG = (20, 20_000)
NEW_EVENTS = 2_500
BATCH = 250
FILE_LINES = 200_000


def ingest_over(store: Store) -> Ingest:
    return Ingest(store, system_clock, BOOK, lambda _: Policy())


def take(ingest: Ingest, lines: Sequence[bytes], batch: int = 1_000) -> None:
    for at in range(0, len(lines), batch):
        part = [Delivery(line, None, (), "bench") for line in lines[at : at + batch]]
        outcome = ingest.take(part)
        if outcome.accepted != len(part):
            sys.exit(f"the workload was not taken whole: {outcome.results}")


# --- 1: loading -----------------------------------------------------------------------------


def loading(store: Store, rounds: int) -> Iterator[dict[str, Any]]:
    for length in LENGTHS:
        patient = f"long-{length}"
        _put(store, history(length - 6, patient))
        stream, new = stream_id("p1", patient), _decoded(entry(patient, 0))
        made: dict[str, Snapshot | None] = {"whole history": None}
        if is_due(length, 0):
            tail = next(n for n in range(length) if is_due(length + 1, length - n))
            made["snapshot, longest tail"] = _snapshot_at(store, stream, length - tail)
            made["new snapshot"] = _snapshot_at(store, stream, length)
        for name, kept in made.items():
            if kept is not None:
                store.commit(Batch(snapshots=[kept]))
            yield {
                "events": length,
                "how": name,
                "tail": length - (kept.version if kept else 0),
                "load_ms": _load_ms(store, stream, rounds),
                "of_it_cpu_ms": _load_ms(store, stream, rounds, clock=time.process_time),
                "with_event_ms": _load_ms(store, stream, rounds, new),
                "snapshot_bytes": None if kept is None else _size(kept),
            }


def _size(kept: Snapshot) -> int:
    return len(kept.state) + sum(len(body or b"") for body in kept.parts.values())


def _put(store: Store, lines: Sequence[bytes]) -> None:
    """The log that ingest would leave, without its snapshots."""
    plain = open_store("memory:")
    take(ingest_over(plain), lines)
    store.commit(Batch(events=plain.log(0, len(lines)), versions=plain.versions()))


def _decoded(line: bytes) -> Event:
    decoded = decode_structured(line)
    assert isinstance(decoded, Accepted)
    return decoded.event


def _snapshot_at(store: Store, stream: str, version: int) -> Snapshot:
    events = store.load([stream])[stream].events[:version]
    patient = Patient("p1", stream.partition("/")[2])
    for stored in events:
        evolve(patient, decode_event(stored))
    last = events[-1]
    previous = link(stream, last.version, last.name, last.state)
    archive = PackedArchive.empty(("p1", patient.patient_id))
    recorded = decode_event(last).recorded_at_us or 0
    return snapshot(stream, patient, archive, previous, recorded)[0]


def _load_ms(
    store: Store,
    stream: str,
    rounds: int,
    new: Event | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    def load() -> None:
        hot = HotPatients(store, 10).fetch([stream])[stream]
        if new is not None:
            hot.live.take(new, 0, BOOK, Policy())

    return min(_seconds(load, clock) for _ in range(rounds)) * 1000


def _seconds(work: Callable[[], None], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    work()
    return clock() - started


# --- 2: one more event ----------------------------------------------------------------------


def one_more(store: Store) -> Iterator[dict[str, Any]]:
    ingest, lines = _awaiting(store, 20, "one-more-first")
    take(ingest, lines, BATCH)  # lays out the rules of those months, once for all that follow
    waiting = {entries: _awaiting(store, entries, f"one-more-{entries}") for entries in LONG}
    wall, cpu = dict.fromkeys(LONG, 0.0), dict.fromkeys(LONG, 0.0)
    for at in range(0, NEW_EVENTS, BATCH):  # by turns, so that both write to the same long log
        for entries, (ingest, lines) in waiting.items():
            cpu_started = time.process_time()
            wall[entries] += _seconds(lambda i=ingest, ls=lines[at : at + BATCH]: take(i, ls))  # type: ignore[misc]
            cpu[entries] += time.process_time() - cpu_started
    for entries in LONG:
        yield {
            "entries": entries,
            "us_per_event": wall[entries] / NEW_EVENTS * 1e6,
            "of_it_cpu_us": cpu[entries] / NEW_EVENTS * 1e6,
            "memory_kib": _memory(store, stream_id("p1", f"one-more-{entries}")) / 1024,
        }


def _awaiting(store: Store, entries: int, patient: str) -> tuple[Ingest, list[bytes]]:
    """An ingest that knows the patient with so many entries, and the entries to come."""
    ingest = ingest_over(store)
    take(ingest, history(entries, patient))
    return ingest, [entry(patient, number) for number in range(NEW_EVENTS)]


def _memory(store: Store, stream: str) -> int:
    """What a loaded patient holds, its present month in use."""
    tracemalloc.start()
    hot = HotPatients(store, 10).fetch([stream])[stream]
    hot.live.patient.entries.in_month("2025-01")
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held


# --- 3: a long log --------------------------------------------------------------------------


def long_log(url: str, upto: int) -> Iterator[dict[str, Any]]:
    store, path = open_store(url), Path(url.removeprefix("sqlite:///"))
    log, ingest, milestone, round = BigLog(store, random.Random(1)), ingest_over(store), 100_000, 0
    while milestone <= upto:
        append_us, undisturbed_us = log.grow(milestone)
        round += 1
        fold_in(path)  # what the log's growth left behind is not this one's cost
        lines = [line for n in range(1_000) for line in history(94, f"new-{round}-{n}")]
        ingest_us = _seconds(lambda ls=lines: take(ingest, ls)) / len(lines) * 1e6  # type: ignore[misc]
        file_us = _file_us(store, path.parent, round)
        size = path.stat().st_size / store.head()
        start = start_after_kill(url, f"again-{round}")
        yield {
            "events": milestone,
            "append_us": append_us,
            "undisturbed_us": undisturbed_us,
            "ingest_us": ingest_us,
            "file_us": file_us,
            "bytes_per_event": size,
            "start_after_kill_s": start.seconds,
            "peak_mib": start.memory_bytes / (1 << 20),
        }
        milestone *= 10
    store.close()


def fold_in(database: Path) -> None:
    """The write-ahead log goes into the database."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _file_us(store: Store, folder: Path, round: int) -> float:
    """A line of a large file of new patients."""
    file = folder / f"large-{round}.jsonl"
    write_patients(file, FILE_LINES, round, FILE_LINES * 1_000 * round)
    return take_file(store, file) / FILE_LINES * 1e6


def write_patients(file: Path, lines: int, seed: int, first: int) -> None:
    """Lines of patients numbered from `first` on."""
    with file.open("wb") as writing:
        writing.writelines(lines_of_patients(lines, seed, first))


def take_file(store: Store, file: Path) -> float:
    """The seconds that one process takes for a file, as `caretally ingest` does; the file goes."""
    started = time.perf_counter()
    outcome = ingest_file(ingest_over(store), store, file)
    seconds = time.perf_counter() - started
    assert not outcome.dead_lettered, outcome
    file.unlink()
    return seconds


def table(rows: Iterator[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print rows as they come; returns them."""
    kept = []
    for row in rows:
        if not kept:
            print("".join(f"{name:>23}" for name in row))
        print("".join(f"{_cell(value):>23}" for value in row.values()), flush=True)
        kept.append(row)
    print()
    return kept


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value or "-")


def main() -> None:
    """Measure, print, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--upto", type=int, default=1_000_000, help="events in the long log")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    calm_collector()  # as every process that ingests does
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        store = open_store(f"sqlite:///{folder}/patients.db")
        results = {
            "loading": table(loading(store, options.rounds)),
            "one_more": table(one_more(store)),
        }
        store.close()
        results["long_log"] = table(long_log(f"sqlite:///{folder}/log.db", options.upto))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
