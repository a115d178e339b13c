"""The long form: violence by the hundred, then the figures.

    make test-chaos ARGS="--kills 500 --seed 7"

Each scenario prints one line of JSON once what it left behind is what the plain fold of everything
sent gives; all lines also go to `benchmarks/results/chaos.jsonl`. A difference is told with its
seed, the next scenario goes on, and the exit code is 1. A count of 0 leaves a scenario out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from infra.kafka.local import LocalKafka
from tests.crash import demo, outages, scenarios
from tests.crash.scenarios import Disturb, under_load
from tests.crash.world import World, world
from tests.postgres import LocalPostgres, database, local_postgres

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results" / "chaos.jsonl"
COUNTS = {
    "kills-sqlite": (250, "kill -9 of ingest, projector and notifier over SQLite"),
    "kills-postgres": (250, "kill -9 of two ingest, a projector and a notifier over PostgreSQL"),
    "demo-kills": (20, "kill -9 of the demo"),
    "postgres-stops": (100, "immediate stops of PostgreSQL"),
    "broker-stops": (50, "kill -9 of the broker, over PostgreSQL"),
    "rebalances": (200, "consumers that join or leave a group of three, 12 partitions"),
    "zombies": (20, "one of three consumers sleeps beyond its session and wakes"),
    "outage-seconds": (30, "how long database, broker and a quick disk are away"),
    "torn-writes": (1000, "power cuts under SQLite"),
    "fuzz": (1_000_000, "damaged messages"),
}
TWO = ("ingest", "ingest", "projector", "notifier")
THREE = ("ingest", "ingest", "ingest", "notifier")

Found = dict[str, Any]


class Chaos:
    """The scenarios over one broker and one PostgreSQL of their own; each takes a count."""

    def __init__(self, broker: LocalKafka, server: LocalPostgres, seed: int) -> None:
        self._broker, self._server, self._seed = broker, server, seed

    def scenarios(self) -> dict[str, Callable[[int], Found]]:
        stops, broker_stops = scenarios.postgres_stops, scenarios.broker_stops
        return {
            "kills-sqlite": lambda n: self._sqlite(scenarios.kills(n)),
            "kills-postgres": lambda n: self._postgres(scenarios.kills(n), TWO),
            "postgres-stops": lambda n: self._postgres(stops(self._server, n), TWO),
            "broker-stops": lambda n: self._postgres(broker_stops(self._broker, n), TWO),
            "rebalances": lambda n: self._postgres(scenarios.rebalances(n), THREE, stays=False),
            "zombies": lambda n: self._postgres(scenarios.zombies(n), THREE, stays=False),
            "outage-seconds": self._outages,
            "demo-kills": lambda n: self._demo(n),
            "torn-writes": lambda n: self._module("tests.crash.torn", n),
            "fuzz": lambda n: self._module("tests.crash.fuzz", n),
        }

    def _sqlite(self, disturb: Disturb) -> Found:
        return self._in_world(
            None, lambda w: _counted(w, disturb, ("ingest", "projector", "notifier"), True)
        )

    def _postgres(self, disturb: Disturb, roles: tuple[str, ...], stays: bool = True) -> Found:
        with database(self._server.url) as url:
            return self._in_world(url, lambda w: _counted(w, disturb, roles, stays))

    def _outages(self, seconds: int) -> Found:
        with database(self._server.url) as url:
            down = self._in_world(url, lambda w: outages.database_down(w, self._server, seconds))
        broker = self._in_world(None, lambda w: outages.broker_down(w, self._broker, seconds))
        disk = self._in_world(None, lambda w: outages.disk_slow(w, seconds))
        return {"database": down, "broker": broker, "disk": disk}

    def _in_world(self, url: str | None, work: Callable[[World], Found]) -> Found:
        with tempfile.TemporaryDirectory(prefix="caretally-chaos-") as folder:
            where = url or f"sqlite:///{folder}/store.db"
            made = world(self._broker.bootstrap, where, Path(folder), self._seed, partitions=12)
            with made as running:
                return work(running)

    def _demo(self, kills: int) -> Found:
        with tempfile.TemporaryDirectory(prefix="caretally-chaos-") as folder:
            return demo.killed(Path(folder) / "demo", kills, self._seed)

    def _module(self, name: str, count: int) -> Found:
        command = [sys.executable, "-m", name, str(count), str(self._seed)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
        if done.returncode:
            raise AssertionError(done.stderr[-2000:])
        found: Found = json.loads(done.stdout)
        return found


def _counted(world: World, disturb: Disturb, roles: tuple[str, ...], stays: bool) -> Found:
    figures = asdict(under_load(world, roles, disturb, stays))
    return figures | ({"killed": world.kills} if world.kills else {})


def main() -> int:
    counts = _arguments()
    seed = counts.pop("seed")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    failed = 0
    with ExitStack() as stack, RESULTS.open("a", encoding="utf-8") as results:
        broker = stack.enter_context(LocalKafka())
        server = stack.enter_context(local_postgres())
        chaos = Chaos(broker, server, seed)
        for name, scenario in chaos.scenarios().items():
            if not counts[name]:
                continue
            began = time.monotonic()
            line: Found = {"scenario": name, "count": counts[name], "seed": seed}
            try:
                line |= {"held": True, **scenario(counts[name])}
            except Exception as error:
                traceback.print_exc()
                failed += 1
                line |= {"held": False, "error": f"{type(error).__name__}: {error}"[:2000]}
            line["took seconds"] = round(time.monotonic() - began)
            for out in (sys.stdout, results):
                print(json.dumps(line), file=out, flush=True)
    return 1 if failed else 0


def _arguments() -> dict[str, int]:
    parser = argparse.ArgumentParser(prog="make test-chaos", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for name, (count, text) in COUNTS.items():
        parser.add_argument(f"--{name}", type=int, default=count, metavar="N", help=text)
    parser.add_argument("--seed", type=int, default=7, metavar="N")
    parser.add_argument(
        "--kills", type=int, metavar="N", help="both kinds of kills together, half and half"
    )
    given = vars(parser.parse_args())
    kills = given.pop("kills")
    counts = {name.replace("_", "-"): count for name, count in given.items()}
    if kills is not None:
        counts |= {"kills-sqlite": kills // 2, "kills-postgres": kills - kills // 2}
    return counts


if __name__ == "__main__":
    sys.exit(main())
