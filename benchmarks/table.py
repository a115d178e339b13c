"""The one table: what each contestant came to, in words and in JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.arena import Run
from benchmarks.peers.contestants import CONTESTANTS, Contestant
from benchmarks.peers.environments import ENVIRONMENTS, NotToBeHad

MIB = 1 << 20
HEAD = (
    f"{'':28}{'events':>10}{'events/s':>10}{'ours is':>9}{'cpu us':>8}"
    f"{'p99 ms':>8}{'MiB':>7}{'B/event':>9}"
    f"  {'durable':12}{'transitions':12}{'log':9}{'reasons':8}{'as-of':11}"
)
BEHIND_SECONDS = 3.0
"""One that is done so long after the last line was due could not keep the pace."""


NOTES = """
All drop duplicates however late and take corrections back whichever came first: what each has
stored was read back and is right. `ours is`: our rate over theirs, on the same store, in this
run. cpu: computing time an event, servers left out, which a busy machine changes least. p99: from
when an event was due to its result, at {rate:.0f} events/s. MiB: peak memory of its processes.
B/event: database or files at the end, without write-ahead logs and what lies in Kafka. durable:
after what a result survives a crash. transitions: units reached or taken back, seen at each event
or at each run. log: the events are kept. reasons, as-of: it can say why, and what was known at an
earlier instant."""

GOALS = (("bytewax, recovery", 1.2), ("hand-written script, SQLite", 0.5))
GOALS_BY_STORE = {
    "SQLite": (*GOALS, ("eventsourcing, SQLite", 60.0)),
    "PostgreSQL": (*GOALS, ("eventsourcing, PostgreSQL", 60.0)),
}
"""What we hold ourselves to, by the quickest way that a large file is taken by the product."""
GOAL_OF_TWO = 1.7


def best_of(runs: Sequence[Run], name: str) -> Run | None:
    """The quickest run whose result is right."""
    own = [run for run in runs if run.name == name and not run.faults]
    return max(own, key=lambda run: run.rate, default=None)


def printed(runs: Sequence[Run], paced: Sequence[Run], rate: float) -> list[str]:
    """The table's lines."""
    named = [one for one in CONTESTANTS if any(run.name == one.name for run in runs)]
    lines = [HEAD, *(_line(one, runs, paced, rate) for one in named)]
    return [*lines, NOTES.format(rate=rate), *_goals(runs)]


def _goals(runs: Sequence[Run]) -> list[str]:
    found = []
    for store, goals in GOALS_BY_STORE.items():
        one = best_of(runs, f"caretally, {store}")
        two = best_of(runs, f"caretally, 2 x {store}")
        if one is None or two is None:
            continue
        ours, told = max(one.rate, two.rate), []
        for name, goal in goals:
            if peer := best_of(runs, name):
                told.append(f"{ours / peer.rate:.2f} x {name} (goal {goal:g})")
        told.append(f"two processes {two.rate / one.rate:.2f} x one (goal {GOAL_OF_TWO})")
        found.append(f"{store}: {', '.join(told)}")
    return found


def _line(one: Contestant, runs: Sequence[Run], paced: Sequence[Run], rate: float) -> str:
    run = best_of(runs, one.name)
    if run is None:
        return f"{one.name:28}{next(run.faults for run in runs if run.name == one.name)}"
    beside = best_of(runs, one.ours)
    ratio = f"{beside.rate / run.rate:.2f} x" if beside else "-"
    promises = one.promises
    return (
        f"{one.name:28}{run.events:>10,}{run.rate:>10,.0f}{ratio:>9}"
        f"{run.cpu_seconds / run.events * 1e6:>8.1f}{_p99(one, paced, rate):>8}"
        f"{run.memory_bytes / MIB:>7.0f}{run.disk_bytes / run.events:>9.0f}"
        f"  {promises.durable:12}{promises.transitions:12}"
        f"{promises.log:9}{promises.reasons:8}{promises.as_of:11}"
    ).rstrip()


def _p99(one: Contestant, paced: Sequence[Run], rate: float) -> str:
    run = next((run for run in paced if run.name == one.name), None)
    if run is None or not run.milliseconds:
        return "-"
    if run.seconds > run.events / rate + BEHIND_SECONDS:
        return "behind"
    return f"{run.milliseconds['p99']:,.0f}"


def record(runs: Sequence[Run], paced: Sequence[Run], rate: float, load: str) -> dict[str, Any]:
    """Everything measured, for a file."""
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "load": load,
        "versions": versions(),
        "runs": [run.as_row() for run in runs],
        "paced": {"events_per_second": rate, "runs": [run.as_row() for run in paced]},
    }


def versions() -> dict[str, str]:
    found = {}
    for one in ENVIRONMENTS.values():
        try:
            one.command()
            found[f"{one.name}: {one.what}"] = one.version()
        except NotToBeHad as error:
            found[f"{one.name}: {one.what}"] = str(error)
    return found


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "?")
