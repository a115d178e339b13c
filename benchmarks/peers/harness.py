"""What all contestants share: lines as they arrive, and a word with the runner.

The standard library alone, because every peer imports it in an environment of its own. A contestant
says `ready` when everything is imported and open, waits for a line, works, and says `done` with its
peak memory and computing time when its result is durable. One that has to join a group first says
`began` when the first message comes. Told to `read`, it reads back what is stored, for the check.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypedDict

WARMING = 0.2
"""The first part of a run at a steady rate, which is left out."""


class Result(TypedDict):
    """What a contestant has stored, read back."""

    months: list[tuple[str, str, int, int]]
    """(patient, month, seconds, units), months without a second left out."""
    transitions: list[tuple[str, str, int, bool, str]]
    """(patient, month, unit, raised?, id of the event that caused it), in each patient's order."""


@dataclass(frozen=True)
class Task:
    """What to read, and where to keep things. `rate` None: as fast as it goes; `part` of `parts`
    where several processes share the patients."""

    file: Path
    folder: Path
    database: str
    kafka: str
    rate: float | None
    part: int
    parts: int
    options: list[str]


class Feed:
    """The lines of the file: all at once, or at a steady rate as somebody would send them."""

    def __init__(self, path: Path, rate: float | None = None) -> None:
        self.rate = rate
        self._file = path.open("rb")
        self._total = sum(1 for _ in path.open("rb")) if rate else 0
        self._began = 0.0
        self._taken = 0
        self._stored = 0
        self._milliseconds: list[float] = []
        self._numbers: dict[str, int] = {}
        """At a rate: when in the order an event was first sent, until its result is seen."""

    def take(self, most: int, wait: bool = True) -> list[bytes]:
        """Up to `most` lines, at the end none; at a rate, those that are due, waiting for one
        unless told not to."""
        if self.rate is None:
            return list(islice(self._file, most))
        self._began = self._began or time.perf_counter()
        while (due := self._due()) <= 0 < self._total - self._taken and wait:
            time.sleep(0.0005)
        found = list(islice(self._file, min(most, max(0, due))))
        for number, line in enumerate(found, self._taken):
            self._numbers.setdefault(json.loads(line)["id"], number)
        self._taken += len(found)
        return found

    @property
    def ended(self) -> bool:
        """Whether all lines of a feed with a rate were taken."""
        return self._taken >= self._total

    def stored(self, count: int) -> None:
        """The results of the first `count` lines are there to be seen now."""
        if self.rate is not None:
            for number in range(self._stored, count):
                self._note(number)
            self._stored = max(self._stored, count)

    def seen(self, id: str) -> None:
        """The result of this event is there to be seen now."""
        if (number := self._numbers.pop(id, None)) is not None:
            self._note(number)

    def _note(self, number: int) -> None:
        assert self.rate is not None
        if number >= self._total * WARMING:
            took = time.perf_counter() - self._began - number / self.rate
            self._milliseconds.append(took * 1000)

    def percentiles(self) -> dict[str, float]:
        """Milliseconds from when a line was sent to its result, empty where none was measured."""
        found = sorted(self._milliseconds)
        return {f"p{p}": found[len(found) * p // 100] for p in (50, 99)} if found else {}

    def _due(self) -> int:
        assert self.rate is not None
        sent = int((time.perf_counter() - self._began) * self.rate) + 1
        return min(self._total, sent) - self._taken


def play(
    prepare: Callable[[Task], Callable[[Feed], None]], read_back: Callable[[Task], Result]
) -> None:
    """Run a contestant: `prepare` opens everything and returns the work."""
    task = _task()
    work = prepare(task)
    feed = Feed(task.file, task.rate)
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 50, 1_000)
    say("ready")
    sys.stdin.readline()
    began = time.process_time()
    work(feed)
    told = {
        "memory_bytes": peak_bytes(),
        "cpu_seconds": time.process_time() - began,
        "milliseconds": feed.percentiles(),
    }
    say("done " + json.dumps(told))
    if sys.stdin.readline().strip() == "read":
        (task.folder / "result.json").write_text(json.dumps(read_back(task)))


def say(text: str) -> None:
    print(text, flush=True)


def peak_bytes() -> int:
    """The most memory this process ever held; `ru_maxrss` would count the parent's at the fork."""
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def _task() -> Task:
    parser = argparse.ArgumentParser()
    parser.add_argument("--file", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--database", default="")
    parser.add_argument("--kafka", default="")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--part", type=int, default=0)
    parser.add_argument("--parts", type=int, default=1)
    parser.add_argument("options", nargs="*")
    return Task(**vars(parser.parse_args()))
