"""The table may be believed: who is in it was checked, and a wrong result is seen to be wrong."""

from __future__ import annotations

import json

import pytest

from benchmarks.arena import Arena, faults
from benchmarks.oracle import Digests, right_result
from benchmarks.peers.contestants import CONTESTANTS, Contestant

EVENTS = 1_000
CORRECTIONS = ("voided.v1", "amended.v1")
NEED_NOTHING = ("caretally, SQLite", "caretally, 2 x SQLite", "hand-written script, SQLite")


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Arena:
    return Arena(tmp_path_factory.mktemp("arena"), seed=3)


def named(name: str) -> Contestant:
    return next(one for one in CONTESTANTS if one.name == name)


@pytest.mark.parametrize("name", NEED_NOTHING)
def test_contestants_come_to_what_the_oracle_says(arena: Arena, name: str) -> None:
    """Seconds, units and every transition in each patient's order, in one process and in two."""
    run = arena.run(named(name), EVENTS)
    assert run.faults == ""
    assert run.events == EVENTS
    assert run.transitions > 50
    assert min(run.seconds, run.memory_bytes, run.disk_bytes) > 0


def test_events_as_they_come_have_their_time_to_a_result(arena: Arena) -> None:
    run = arena.run(named("caretally, SQLite"), 300, rate=1_000)
    assert run.faults == ""
    assert run.seconds > 0.25
    assert 0 < run.milliseconds["p50"] <= run.milliseconds["p99"]


def test_a_wrong_result_is_shown_as_wrong(arena: Arena) -> None:
    """Also where only one of many transitions is missing or comes too late."""
    file = arena.workload(EVENTS)
    right = right_result(file)
    script = named("hand-written script, SQLite")
    assert faults(script, right, right) == ""
    changes = right["transitions"]
    for wrong in (changes[1:], [*changes[1:], changes[0]], [*changes, changes[0]]):
        told = faults(script, {"months": right["months"], "transitions": wrong}, right)
        assert told.startswith("WRONG transitions")
    months = [(*right["months"][0][:2], 1, 0), *right["months"][1:]]
    told = faults(script, {"months": months, "transitions": changes}, right)
    assert told.startswith("WRONG months")


def test_the_workload_has_what_makes_the_job_hard(arena: Arena) -> None:
    """Duplicates, corrections that come first, units that are taken back."""
    file = arena.workload(20_000)
    said = [json.loads(line) for line in file.open("rb")]
    assert 0.04 < 1 - len({one["id"] for one in said}) / len(said) < 0.06
    corrections = {one["data"]["entry_id"] for one in said if one["type"][5:] in CORRECTIONS}
    assert len(corrections) == 0.02 * len(said)
    first = {}
    for one in said:
        first.setdefault(one["data"].get("entry_id"), one["type"])
    assert any(kind[5:] in CORRECTIONS for kind in first.values())
    assert Digests.of(right_result(file)).retracted > 5
