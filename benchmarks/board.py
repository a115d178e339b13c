"""The board of a large practice: how long its first page takes, and what a change costs.

    python -m benchmarks.board --patients 5000

A practice of the simulated clinic with two past months and the running one, in SQLite. Timed are
whole requests through the application, without a network: the first one of a process, which makes
the board; those after it; a filter, a search, a far page; and after an event the rows that a
browser asks for again. Medians of `--rounds`, and the slowest; beside them the processor time,
which a busy machine does not stretch.
"""

from __future__ import annotations

import argparse
import asyncio
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
        made = app(parts, Pages(parts, Reads(parts), ingest).routes())
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


def measure(parts: Parts, ingest: SharedIngest, clinic: Clinic, rounds: int) -> None:
    print("| request | median ms | slowest ms | processor ms | kB |\n|---|---|---|---|---|")
    asking = Asking(parts, ingest)
    told("first page, first look of the process", [asking.seconds(BOARD)])

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
            measure(parts, ingest, clinic, options.rounds)


if __name__ == "__main__":
    main()
