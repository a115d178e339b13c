"""What a further event costs over a long log and over a short one. `python -m benchmarks.longlog`.

Both logs are made by `caretally ingest` itself from files of a million lines, 20,000 patients each:
one file, and ten (`--files`). Then, by turns over the two, on SQLite, every transaction synced:

- `a large file`: a line of 200,000, of new patients, by one process;
- `new patients`: an event of theirs, a thousand a transaction;
- `cold patients`: one event each for 10,000 patients drawn from all, none of them in memory;
- `hot patients`: the same for 18,000 that are in memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.growth import FILE_LINES, fold_in, ingest_over, take, take_file, write_patients
from benchmarks.longhistory import history
from infra.eventstore import open_store
from services.bootstrap import calm_collector
from services.demo.vocabulary import clocked, message, performer, to_line

RESULTS = Path(__file__).parent / "results" / "longlog.json"
LINES = 1_000_000
NEW_PATIENTS = 1_000
COLD_PATIENTS = 10_000
HOT_PATIENTS = 18_000
NURSE = performer("rn-1", "clinical_staff")
MARCH = datetime(2025, 3, 3, 16, tzinfo=UTC)

Probe = Callable[[Path, int], float]
"""Microseconds of a further event over a database; the number makes its events new ones."""


def a_large_file(database: Path, number: int) -> float:
    file = database.with_suffix(".jsonl")
    _write(file, FILE_LINES, 1_000 + number)
    with closing(open_store(f"sqlite:///{database}")) as store:
        return take_file(store, file) / FILE_LINES * 1e6


def new_patients(database: Path, number: int) -> float:
    lines = [line for n in range(NEW_PATIENTS) for line in history(94, f"new-{number}-{n}")]
    return _taken(database, [], lines)


def cold_patients(database: Path, number: int) -> float:
    return _taken(database, [], _one_each(_drawn(database, number, COLD_PATIENTS), f"c{number}"))


def hot_patients(database: Path, number: int) -> float:
    drawn = _drawn(database, number, HOT_PATIENTS)
    return _taken(database, _one_each(drawn, f"w{number}"), _one_each(drawn[::-1], f"h{number}"))


PROBES: tuple[Probe, ...] = (a_large_file, new_patients, cold_patients, hot_patients)


def _taken(database: Path, before: Sequence[bytes], lines: Sequence[bytes]) -> float:
    with closing(open_store(f"sqlite:///{database}")) as store:
        ingest = ingest_over(store)
        take(ingest, before)
        started = time.perf_counter()
        take(ingest, lines)
        return (time.perf_counter() - started) / len(lines) * 1e6


def _drawn(database: Path, number: int, count: int) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT stream_id FROM patients WHERE patient_id NOT LIKE 'new-%'"
        streams = [row[0] for row in connection.execute(query)]
    return random.Random(number).sample(streams, count)


def _one_each(streams: Sequence[str], name: str) -> list[bytes]:
    return [_entry(stream, f"{name}-{n}", n) for n, stream in enumerate(streams)]


def _entry(stream: str, id: str, number: int) -> bytes:
    practice, _, patient = stream.partition("/")
    start = MARCH + timedelta(seconds=number * 60)
    said = message(
        id=id,
        source="/ehr/bench",
        type="time.logged",
        practice=practice,
        patient=patient,
        time=start + timedelta(seconds=300),
        data=clocked(id, NURSE, "care_coordination", start, 240),
    )
    return to_line(said)


def _write(file: Path, lines: int, number: int) -> None:
    """Lines of patients that no file of another number has."""
    write_patients(file, lines, number, LINES * number)


def logs(folder: Path, files: int) -> tuple[Path, Path]:
    """The log of one file, and the log of so many."""
    short, long = folder / "short.db", folder / "long.db"
    for number in range(files):
        file = folder / "lines.jsonl"
        _write(file, LINES, number)
        started = time.perf_counter()
        command = [sys.executable, "-m", "services.cli.main", "ingest", str(file)]
        environment = os.environ | {"CARETALLY_DATABASE": f"sqlite:///{long}"}
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        rate = LINES / (time.perf_counter() - started)
        print(f"file {number + 1} of {files}: {rate:,.0f} lines/s", file=sys.stderr, flush=True)
        fold_in(long)
        if number == 0:
            shutil.copy(long, short)
    return short, long


def main() -> None:
    """Make the logs, measure, print, write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10, help="of a million lines, in the long log")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    calm_collector()
    results: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        short, long = logs(Path(folder), options.files)
        print(f"{'us an event':15} {'short log':>12} {'long log':>12} {'more':>7}")
        for probe in PROBES:
            took: dict[str, list[float]] = {"short": [], "long": []}
            for number in range(options.rounds):
                for name, database in (("short", short), ("long", long)):
                    fold_in(database)
                    took[name].append(probe(database, number))
            name = probe.__name__.replace("_", " ")
            results[name] = took
            over = {of: statistics.median(found) for of, found in took.items()}
            more = over["long"] / over["short"] - 1
            print(f"{name:15} {over['short']:12.1f} {over['long']:12.1f} {more:+7.0%}", flush=True)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
