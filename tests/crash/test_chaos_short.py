"""The short form of `make test-chaos`: the same scenarios with small counts, whenever tests run.

After each of them the store and the alert topic are what the plain fold of everything sent gives:
nothing lost, nothing doubled, no alert missing, an alert that came twice came under one id.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.crash import demo, fuzz
from tests.crash.scenarios import (
    all_of,
    kills,
    rebalances,
    under_load,
    zombies,
)
from tests.crash.world import world

ROOT = Path(__file__).parents[2]
SEED = 7


ROLES = ("ingest", "projector", "notifier")


@pytest.mark.kafka
def test_kills_over_sqlite(kafka: str, sqlite: str, tmp_path: Path) -> None:
    with world(kafka, sqlite, tmp_path, SEED) as made:
        figures = under_load(made, ROLES, kills(4), stays=True)
    assert figures.events > 0 < figures.transitions
    assert sum(made.kills.values()) == 4


@pytest.mark.kafka
@pytest.mark.postgres
def test_kills_rebalances_and_a_zombie_over_postgresql(
    kafka: str, postgres: str, tmp_path: Path
) -> None:
    """One of two consumers sleeps beyond its session and wakes up late; others come and go."""
    with world(kafka, postgres, tmp_path, SEED + 1, partitions=12) as made:
        disturb = all_of(kills(3), zombies(1), rebalances(2))
        figures = under_load(made, ("ingest", *ROLES), disturb, stays=False)
    assert figures.events > 0 < figures.transitions


def test_a_killed_demo_ends_up_with_the_fold_of_its_messages(tmp_path: Path) -> None:
    figures = demo.killed(tmp_path / "demo", 1, SEED)
    assert figures["kills"] == 1
    assert figures["events"] > 1000


def test_damaged_messages_are_accepted_refused_or_duplicates_and_none_is_lost() -> None:
    figures = fuzz.main(10_000, SEED)
    assert figures["sent"] == 10_000
    assert all(figures[fate] for fate in ("accepted", "duplicates", "dead letters"))


def power_cuts(*arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the shim under SQLite cannot be taken away again."""
    command = [sys.executable, "-m", "tests.crash.torn", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=ROOT, timeout=240, check=False
    )


def test_after_a_power_cut_sqlite_has_whole_transactions_and_every_acknowledged_one() -> None:
    done = power_cuts("40", str(SEED))
    assert done.returncode == 0, done.stderr[-500:]
    assert json.loads(done.stdout)["cuts"] == 40


def test_the_power_cuts_would_show_a_store_that_acknowledges_too_early() -> None:
    done = power_cuts("20", str(SEED), "NORMAL")
    assert done.returncode == 1
    assert "said" in done.stderr.splitlines()[-1]
