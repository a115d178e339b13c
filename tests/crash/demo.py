"""The demo killed at random points of its history and of its day: run again, it ends up with what
the plain fold of its messages gives."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from datetime import date
from pathlib import Path

from infra.eventstore import open_store
from services.demo.clinic import Clinic
from services.demo.folder import DemoFolder, Plan
from services.demo.vocabulary import to_line
from tests.crash.compare import Fold, timeless, turn, whole_log, whole_transitions
from tests.services.serving import clean

PLAN = Plan(seed=5, today=date(2025, 11, 24), patients=60)
END_SECONDS = 240


def command(folder: Path, speed: int) -> list[str]:
    return [
        *(sys.executable, "-m", "services.cli.main", "demo", "--data", str(folder)),
        *("--seed", str(PLAN.seed), "--patients", str(PLAN.patients), "--today", str(PLAN.today)),
        *("--seconds", "0", "--speed", str(speed)),
    ]


def killed(folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Kill it so often, let it end, and compare. Raises AssertionError."""
    rng = random.Random(seed)
    hits = 0
    while hits < kills:
        # Slow at first, so that a kill meets it at work and not at its end.
        with subprocess.Popen(command(folder, 30), **_QUIET) as process:  # type: ignore[call-overload]
            time.sleep(rng.uniform(0.3, 4.0))
            hits += process.poll() is None
            process.kill()
    last = subprocess.run(command(folder, 10_000), timeout=END_SECONDS, check=False, **_QUIET)  # type: ignore[call-overload]
    assert last.returncode == 0, f"it ended with {last.returncode}"
    return {"kills": hits, **_compared(folder)}


_QUIET = {"env": clean({}), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


def _compared(folder: Path) -> dict[str, int]:
    fold = Fold()
    clinic = Clinic(PLAN.seed, PLAN.today, PLAN.patients)
    for said in (*clinic.history(), *(told.event for told in clinic.live())):
        fold.take(to_line(said), (), "")
    store = open_store(DemoFolder(folder).database_url)
    log, turns = whole_log(store)
    assert {name: set(keys) for name, keys in log.items()} == {
        name: set(keys) for name, keys in fold.events.items()
    }, "events are lost"
    assert store.counts()["events"] == sum(map(len, fold.events.values())), "events are doubled"
    assert list(map(timeless, store.assessments())) == fold.answers()
    rows = whole_transitions(store)
    assert Counter(map(turn, rows)) == Counter(turns)
    store.close()
    return {
        "events": sum(map(len, log.values())),
        "refused": len(fold.refused),
        "transitions": len(rows),
    }
