"""The log folded anew for an audit, beside folds of the same log in memory.

`python -m benchmarks.replay`. Sides, each run in a process of its own:

* `dict fold`: what a script would do with the log in memory: JSON to dicts, the standing entries of
  each patient-month, their seconds, units of 99490 and 99439. No prerequisites, no reasons, no
  alerts; it must come to the same seconds and units.
* `our fold`: the same log in memory, folded by the product, every alert transition decided event by
  event and every assessment made; nothing is read and nothing compared.
* `replay --verify`: the same from the database, each assessment and transition compared with what
  is stored, in one process and in two.

Rates are by computing time of the whole run where there is one process, so that what else happens
on the machine does not count, and by the clock for two. Then the peak memory of a process at each
size of the log (`--upto 10000000` for ten million events, some hours of ingest first).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers.harness import peak_bytes
from benchmarks.workload import lines
from domain.assess import assessments
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_row, transition_row
from infra.clock import system_clock
from infra.codec import decode_event, split_stream_id
from infra.eventstore import open_store
from infra.settings import load_settings
from projections.live import LivePatient
from projections.ports import Store, StoredEvent
from services.bootstrap import calm_collector, composed
from services.ingest import Delivery, Ingest

RESULTS = Path(__file__).parent / "results" / "replay.json"
CHUNK_EVENTS = 100_000
BATCH = 4_000
MIB = 1 << 20
POLICY = Policy()

Totals = dict[tuple[str, str], tuple[int, int, int]]
"""Pooled seconds and units of 99490 and 99439 by stream and month."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run: computing time and time by the clock, both of the work alone."""

    side: str
    events: int
    cpu_seconds: float
    seconds: float
    memory_bytes: int


def dict_fold(log: list[StoredEvent]) -> Totals:
    standing: dict[str, dict[str, tuple[str, str, str, str, str]]] = {}
    for event in log:
        said = json.loads(event.state)
        data = said["data"]
        if "entry_id" not in data:
            continue
        entries = standing.setdefault(event.stream_id, {})
        row = (
            said["time"],
            said["source"],
            said["id"],
            data.get("started_at", ""),
            data.get("ended_at", ""),
        )
        known = entries.get(data["entry_id"])
        if known is None or row[:3] > known[:3]:
            entries[data["entry_id"]] = row
    seconds: dict[tuple[str, str], int] = {}
    for stream, entries in standing.items():
        for *_, started, ended in entries.values():
            if started:
                worked = _clock(ended) - _clock(started)
                month = (stream, started[:7])
                seconds[month] = seconds.get(month, 0) + worked
    return {
        month: (s, int(s >= 1200), max(0, min(2, (s - 1200) // 1200)))
        for month, s in seconds.items()
    }


def _clock(text: str) -> int:
    """Seconds of a day: the workload's contacts end on the UTC day on which they began, but for
    the last hour's, which may end on the next one."""
    day, hour, minute, second = text[8:10], text[11:13], text[14:16], text[17:19]
    return ((int(day) * 24 + int(hour)) * 60 + int(minute)) * 60 + int(second)


def our_fold(log: list[StoredEvent]) -> Totals:
    patients: dict[str, LivePatient] = {}
    for stored in log:
        live = patients.get(stored.stream_id)
        if live is None:
            address = split_stream_id(stored.stream_id)
            live = patients[stored.stream_id] = LivePatient(Patient(*address))
        event = decode_event(stored)
        recorded = event.recorded_at_us or 0
        for change in live.take(event, recorded, BOOK, POLICY)[1]:
            transition_row(
                stored.stream_id,
                event.practice_id,
                event.patient_id,
                change,
                event.key,
                stored.version,
                recorded,
            )
    totals: Totals = {}
    for stream, live in patients.items():
        for answer in assessments(live.patient, BOOK, POLICY):
            assessment_row(stream, answer)
            units = {line.code: line.units for line in answer.codes}
            counted = (answer.seconds.pooled, units.get("99490", 0), units.get("99439", 0))
            if counted[0]:
                totals[stream, answer.month] = counted
    return totals


def verify(processes: int) -> int:
    """The product's own command without its words; the number of events."""
    from services.audit.refolding import refold_all

    with composed(load_settings()) as parts:
        found = refold_all(parts, processes, lambda _patients: None)
    if found.deviations:
        sys.exit(f"{len(found.deviations)} things differ, such as {found.deviations[0]}")
    return found.events


FOLDS: dict[str, Callable[[list[StoredEvent]], Totals]] = {
    "dict fold": dict_fold,
    "our fold": our_fold,
}


def run(side: str, url: str) -> Ran:
    """One side's work, in this process."""
    fold, events = FOLDS.get(side), 0
    log: list[StoredEvent] = []
    if fold is not None:
        store = open_store(url)
        log = store.log(0, 1 << 40)
        events = len(log)
    calm_collector()
    cpu, began = time.process_time(), time.perf_counter()
    if fold is not None:
        fold(log)
    else:
        events = verify(int(side.rpartition(" ")[2]))
    return Ran(side, events, time.process_time() - cpu, time.perf_counter() - began, peak_bytes())


def aside(side: str, url: str) -> Ran:
    command = [sys.executable, "-m", "benchmarks.replay", "--side", side]
    environment = {**os.environ, "CARETALLY_DATABASE": url}
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return Ran(**json.loads(done.stdout))


def grow(store: Store, upto: int) -> None:
    """Ingest until the log has about `upto` lines' events, chunk by chunk of new patients."""
    ingest = Ingest(store, system_clock, BOOK, lambda _: POLICY)
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--side", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.side:
        print(json.dumps(asdict(run(options.side, os.environ["CARETALLY_DATABASE"]))))
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        url = f"sqlite:///{folder}/log.db"
        store = open_store(url)
        grow(store, CHUNK_EVENTS)
        _check_same(store)
        results = {"rates": _rates(url, options.rounds), "memory": []}
        size = CHUNK_EVENTS
        while size <= options.upto:
            grow(store, size)
            results["memory"].append(_memory(url))
            size *= 10
        store.close()
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


def _check_same(store: Store) -> None:
    log = store.log(0, 1 << 40)
    plain, ours = dict_fold(log), our_fold(log)
    if plain != ours:
        odd = next(key for key in plain.keys() | ours.keys() if plain.get(key) != ours.get(key))
        sys.exit(f"the folds disagree on {odd}: {plain.get(odd)} and {ours.get(odd)}")


def _rates(url: str, rounds: int) -> dict[str, Any]:
    sides = (*FOLDS, "replay --verify 1", "replay --verify 2")
    runs = [aside(side, url) for _ in range(rounds) for side in sides]
    best: dict[str, float] = {}
    for side in sides:
        own = [one for one in runs if one.side == side]
        spent = min(one.seconds if side.endswith("2") else one.cpu_seconds for one in own)
        best[side] = own[0].events / spent
    print(f"{'':22}{'events/s':>10}{'of dict fold':>14}{'of our fold':>13}")
    for side, rate in best.items():
        plain, own_fold = rate / best["dict fold"], rate / best["our fold"]
        print(f"{side:22}{rate:>10,.0f}{plain:>14.2f}{own_fold:>13.2f}")
    print("both folds agree on seconds and units of every patient-month\n")
    return {side: round(rate) for side, rate in best.items()}


def _memory(url: str) -> dict[str, Any]:
    ran = aside("replay --verify 1", url)
    peak, rate = ran.memory_bytes / MIB, ran.events / ran.cpu_seconds
    print(f"{ran.events:>12,} events: {rate:>8,.0f} events/s, peak {peak:,.0f} MiB", flush=True)
    return {"events": ran.events, "events_per_s": round(rate), "peak_mib": round(peak)}


if __name__ == "__main__":
    main()
