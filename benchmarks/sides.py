"""The two sides of the ingest measurement, each from a file of lines to totals on disk."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from benchmarks.runs import Run, peak_bytes, stopwatch
from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.eventstore import open_store
from projections.ports import Store
from services.bootstrap import stop_collector
from services.doors.files import FileOutcome, ingest_file
from services.doors.shares import WHOLE, Share
from services.doors.together import Progress, take_together
from services.ingest.core import Ingest

Totals = dict[tuple[str, str], tuple[int, int, int]]


def measure(side: str, file: Path, folder: Path) -> Run:
    """One run of a side: `peer`, or `oursN` in N processes."""
    return _peer(file, folder) if side == "peer" else _ours(side, file, folder)


def open_ours(folder: Path) -> tuple[Ingest, Store]:
    """The product's own ingest over a SQLite file in `folder`."""
    store = open_store(f"sqlite:///{folder / 'ours.db'}")
    policy = Policy()
    return Ingest(store, system_clock, BOOK, lambda _: policy), store


def _share(file: Path, folder: Path, share: Share, progress: Progress) -> FileOutcome:
    ingest, store = open_ours(folder)
    stop_collector()
    outcome = ingest_file(ingest, store, file, progress=progress, share=share)
    store.close()
    return outcome


def _ours(side: str, file: Path, folder: Path) -> Run:
    processes = int(side.removeprefix("ours"))
    store = open_ours(folder)[1]
    store.close()
    started = stopwatch()
    if processes == 1:
        outcome = _share(file, folder, WHOLE, lambda _: None)
        memory = peak_bytes()
    else:
        outcome = take_together(partial(_share, file, folder), processes)
        memory = getrusage(RUSAGE_CHILDREN).ru_maxrss * 1024 * processes
    seconds = stopwatch() - started
    store = open_ours(folder)[1]
    if outcome.dead_lettered:
        raise AssertionError(f"{outcome.dead_lettered} lines of the workload were refused")
    totals = {}
    for line in store.assessments():
        answer = json.loads(line)
        units = {one["code"]: one["units"] for one in answer["codes"]}
        counted = (answer["seconds"]["pooled"], units.get("99490", 0), units.get("99439", 0))
        if counted[0]:
            totals[answer["patient_id"], answer["month"]] = counted
    store.close()
    return _run(side, outcome.lines, seconds, memory, folder, totals)


def _peer(file: Path, folder: Path) -> Run:
    from benchmarks import vanilla_eventsourcing as peer

    application, view = peer.open_application(folder)
    lines = file.read_bytes().splitlines()
    started = stopwatch()
    peer.ingest(application, view, lines)
    seconds = stopwatch() - started
    memory = peak_bytes()
    totals = peer.totals(view, {json.loads(line)["subject"] for line in lines})
    application.close()
    view.datastore.close()
    return _run("peer", len(lines), seconds, memory, folder, totals)


def _run(side: str, events: int, seconds: float, memory: int, folder: Path, totals: Totals) -> Run:
    disk = sum(path.stat().st_size for path in folder.iterdir() if ".db" in path.name)
    return Run(side, events, seconds, memory, disk, _digest(totals))


def _digest(totals: Totals) -> str:
    """How many patient-months, seconds and units, and a hash of all of them."""
    exact = hashlib.sha256(repr(sorted(totals.items())).encode()).hexdigest()[:12]
    seconds = sum(total[0] for total in totals.values())
    units = sum(total[1] + total[2] for total in totals.values())
    return f"{len(totals)} patient-months, {seconds} seconds, {units} units, {exact}"
