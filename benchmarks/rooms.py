"""Where the time of ingest goes, by room: a profile; built-in calls count for their callers.

`python -m benchmarks.rooms [EVENTS]`. Absolute times are inflated by the profiler.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.workload import write_workload
from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.eventstore import open_store
from services.bootstrap import calm_collector
from services.doors.files import ingest_file
from services.ingest import Ingest

ROOT = Path(__file__).parents[1]
ROOMS = ("domain", "projections", "infra", "services")
LIBRARIES = ("eventsourcing", "pydantic", "pydantic_core", "msgspec")


def main(events: int) -> None:
    """Ingest a workload into a SQLite file under the profiler and print the shares."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "lines.jsonl"
        write_workload(file, events)
        store = open_store(f"sqlite:///{folder}/ours.db")
        ingest = Ingest(store, system_clock, BOOK, lambda _: Policy())
        calm_collector()
        profile = cProfile.Profile()
        profile.runcall(ingest_file, ingest, store, file)
        store.close()
    stats: dict[Any, Any] = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    _print_rooms(stats)
    _print_functions(stats)


def _print_rooms(stats: dict[Any, Any]) -> None:
    rooms: defaultdict[str, float] = defaultdict(float)
    for function, (_, _, own, _, callers) in stats.items():
        room = _room(function)
        if room:
            rooms[room] += own
            continue
        for caller, (_, _, own_there, _) in callers.items():
            rooms[_room(caller) or "standard library"] += own_there
    total = sum(rooms.values())
    print(f"{'room':28}{'seconds':>9}{'share':>8}")
    for room, seconds in sorted(rooms.items(), key=lambda item: -item[1]):
        print(f"{room:28}{seconds:>9.2f}{seconds / total:>8.1%}")


def _print_functions(stats: dict[Any, Any], most: int = 30) -> None:
    print(f"\n{'own s':>8}{'with calls':>12}{'calls':>10}  function")
    for function, row in sorted(stats.items(), key=lambda item: -item[1][2])[:most]:
        _, calls, own, whole, _ = row
        print(f"{own:>8.2f}{whole:>12.2f}{calls:>10,}  {_name(function)}")


def _room(function: tuple[str, int, str]) -> str:
    """The room or library of a function; empty for built-ins, which belong to their callers."""
    file, _, name = function
    if "sqlite3" in name:
        return "sqlite"
    if file == "~":
        if "pydantic" in name:
            return "pydantic (compiled)"
        return "msgspec (compiled)" if "msgspec" in name else ""
    path = Path(file)
    if path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS:
        return "/".join(path.relative_to(ROOT).parts[:2]).removesuffix(".py")
    return next((name for name in LIBRARIES if name in path.parts), "standard library")


def _name(function: tuple[str, int, str]) -> str:
    file, line, name = function
    if file == "~":
        return name
    path = Path(file)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name
    return f"{shown}:{line} {name}"


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000)
