"""The board of a large practice: how long its first page takes, and what a change costs.

    python -m benchmarks.board --patients 5000

A practice of the simulated clinic with two past months and the running one, in SQLite. Timed are
whole requests through the application, without a network: the first ever, which folds the practice
and keeps its board; the first of each of `--processes` fresh processes, which take it up there, and
again `--behind` events later; in one process those after it, a filter, a search, a far page, and
after an event the rows that a browser asks for again. Medians, and the slowest; beside them the
processor time, which a busy machine does not stretch.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

import httpx

from infra.settings import Settings
from services.bootstrap import Parts, SharedIngest, composed
from services.demo.clinic import PRACTICE, Clinic
from services.demo.vocabulary import Message, to_line
from services.ingest import Delivery
from services.pages.routes import Pages
from services.serve.reads import Reads
from services.serve.web import app

TODAY = date(2025, 11, 24)
BOARD = f"/board/{PRACTICE}/2025-11"
BATCH = 2_000


def clock() -> int:
    at = datetime(TODAY.year, TODAY.month, TODAY.day, 17, tzinfo=UTC)
    return int(at.timestamp()) * 1_000_000


def fill(ingest: SharedIngest, messages: list[Message]) -> None:
    for first in range(0, len(messages), BATCH):
        chunk = messages[first : first + BATCH]
        ingest.take([Delivery(to_line(said), None, (), "bench") for said in chunk])


class Took(NamedTuple):
    """Seconds on the wall and of the processor, and the answer's size."""

    wall: float
    processor: float
    bytes: int


class Asking:
    """The application as a process serves it."""

    def __init__(self, parts: Parts, ingest: SharedIngest) -> None:
        self.pages = Pages(parts, Reads(parts), ingest)
        made = app(parts, self.pages.routes())
        transport = httpx.ASGITransport(app=made, client=("127.0.0.1", 1))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")
        self._loop = asyncio.new_event_loop()

    def seconds(self, path: str) -> Took:
        """How long an answer takes, and how many bytes it has."""
        began, worked = time.perf_counter(), time.process_time()
        answer = self._loop.run_until_complete(self._client.get(path))
        took = Took(time.perf_counter() - began, time.process_time() - worked, len(answer.content))
        assert answer.status_code == 200, answer.text
        return took


def told(name: str, found: list[Took]) -> None:
    wall = [took.wall * 1000 for took in found]
    worked = median(took.processor for took in found) * 1000
    size = found[-1].bytes / 1000
    print(f"| {name} | {median(wall):,.0f} | {max(wall):,.0f} | {worked:,.0f} | {size:,.0f} |")


def first_look(database: str) -> Took:
    """The first request of this process; what it made is kept, as a served process does."""
    with composed(Settings.model_construct(database=database), clock) as parts:
        asking = Asking(parts, parts.ingest())
        took = asking.seconds(BOARD)
        asking.pages.keep_boards()
        return took


def fresh(database: str, processes: int) -> list[Took]:
    """The same, each time in a new process."""
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(1, maxtasksperchild=1) as pool:
        return [pool.apply(first_look, (database,)) for _ in range(processes)]


def measure(parts: Parts, ingest: SharedIngest, clinic: Clinic, rounds: int) -> None:
    asking = Asking(parts, ingest)
    asking.seconds(BOARD)

    def again(name: str, path: str, before: Callable[[], object] = lambda: None) -> None:
        found = []
        for _ in range(rounds):
            before()
            found.append(asking.seconds(path))
        told(name, found)

    live = (one.event for one in clinic.live())
    again("first page", BOARD)
    again("nearly there", f"{BOARD}?show=near")
    again("a search", f"{BOARD}?find=pt-01")
    again("the last page", f"{BOARD}?page=9999")
    one = "of=pt-0001"
    again("first page after an event", BOARD, lambda: fill(ingest, list(islice(live, 1))))
    again("a changed row", f"{BOARD}/rows?{one}", lambda: fill(ingest, list(islice(live, 1))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=5_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--processes", type=int, default=7)
    parser.add_argument("--behind", type=int, default=20, help="events since the board was kept")
    parser.add_argument("--data", type=Path, help="a folder whose store is used, or made, and kept")
    options = parser.parse_args()
    clinic = Clinic(7, TODAY, options.patients)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_construct(database=f"sqlite:///{options.data or folder}/store.db")
        with composed(settings, clock) as parts:
            ingest = parts.ingest()
            if parts.store.head() == 0:
                fill(ingest, list(clinic.history()))
            counts = parts.store.counts()
            print(f"{counts['patients']:,} patients, {counts['events']:,} events\n")
            print("| request | median ms | slowest ms | processor ms | kB |\n|---|---|---|---|---|")
            told("first page ever: nothing is kept yet", fresh(settings.database, 1))
            told("first page of a fresh process", fresh(settings.database, options.processes))
            live = (one.event for one in clinic.live())
            fill(ingest, list(islice(live, options.behind)))
            behind = fresh(settings.database, options.processes)
            told(f"the same, {options.behind} events later", behind)
            measure(parts, ingest, clinic, options.rounds)


if __name__ == "__main__":
    main()
