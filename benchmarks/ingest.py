"""Ingest beside the peer: events a second, memory, bytes. `python -m benchmarks.ingest`.

Ours takes the whole workload through the file door into a SQLite file, every transaction synced
to disk: with two processes, as `caretally ingest` takes a large file on this many cores, and with
one. The peer takes a smaller workload of the same shape (50 lines a patient, the same history
per patient): its cost per event grows with a patient's history and hardly with the number of
patients, so its rate carries over; `--full` gives it the whole workload too (some minutes). Rounds
alternate, every run in a process of its own; the best of each side counts. Before that, both sides
take the peer's workload and must come to the same seconds and units for every patient-month.

`--profile` prints instead where our time goes, by room.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.runs import Run
from benchmarks.workload import EVENTS_PER_PATIENT, write_workload

RESULTS = Path(__file__).parent / "results" / "ingest.json"
MIB = 1 << 20
SIDES = {
    "ours2": "caretally, two processes",
    "ours1": "caretally, one process",
    "peer": "eventsourcing, as documented",
}


def main() -> None:
    """Run, print the table, write the results."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if options.side:
            from benchmarks.sides import measure

            print(json.dumps(asdict(measure(options.side, options.file, Path(folder)))))
            return
        ours, peers = Path(folder) / "ours.jsonl", Path(folder) / "peer.jsonl"
        write_workload(ours, options.events, options.seed)
        if options.profile:
            from benchmarks.rooms import profile_ingest

            profile_ingest(ours, Path(folder))
            return
        write_workload(peers, options.events if options.full else options.peer_events, options.seed)
        _check_same(peers)
        runs = list(_rounds(ours, peers, options.rounds))
    _report(runs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--peer-events", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--full", action="store_true", help="the peer takes all events too")
    parser.add_argument("--profile", action="store_true", help="where our time goes, by room")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def _aside(side: str, file: Path) -> Run:
    """One run in a process of its own, so that memory and caches are its own."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--side", side, "--file", str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(**json.loads(done.stdout))


def _check_same(file: Path) -> None:
    runs = [_aside(side, file) for side in SIDES]
    if len({run.totals for run in runs}) > 1:
        sys.exit(f"the sides disagree: {[(run.side, run.totals) for run in runs]}")
    _tell(f"all sides agree on {runs[0].events} events: {runs[0].totals}")


def _rounds(ours: Path, peers: Path, rounds: int) -> Iterator[Run]:
    for number in range(1, rounds + 1):
        for side in SIDES:
            run = _aside(side, peers if side == "peer" else ours)
            _tell(f"round {number}: {side} {run.rate:,.0f} events/s")
            yield run


def _tell(text: str) -> None:
    print(text, file=sys.stderr)


def _report(runs: list[Run]) -> None:
    best = {
        side: max((run for run in runs if run.side == side), key=lambda run: run.rate)
        for side in SIDES
    }
    ratios = {side: round(run.rate / best["peer"].rate, 2) for side, run in best.items()}
    print(f"{'':30}{'events':>9}{'events/s':>10}{'ratio':>8}{'peak MiB':>10}{'B/event':>9}")
    for side, run in best.items():
        memory, each = run.memory_bytes / MIB, run.disk_bytes / run.events
        shown = f"{SIDES[side]:30}{run.events:>9,}{run.rate:>10,.0f}{ratios[side]:>8.1f}"
        print(f"{shown}{memory:>10.0f}{each:>9.0f}")
    print(f"the best of each side; SQLite all; {EVENTS_PER_PATIENT} events a patient")
    RESULTS.parent.mkdir(exist_ok=True)
    record = {"ratios": ratios, "runs": [asdict(run) | {"rate": run.rate} for run in runs]}
    RESULTS.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
