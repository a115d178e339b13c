"""No hot path becomes slower by accident: counted, not timed, so a busy machine cannot lie."""

from __future__ import annotations

import os

import pytest

from benchmarks import guard
from benchmarks.hotpaths import PATHS

SLOWED = "decode"


@pytest.fixture(scope="module")
def baseline() -> guard.Ratios:
    try:
        return guard.baseline()
    except guard.CannotCount as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module")
def counted(baseline: guard.Ratios) -> guard.Ratios:
    """One count of all five paths, and of one that does a fifth of its work twice."""
    assert set(baseline) == set(PATHS)
    try:
        return guard.ratios(slowed=SLOWED, by=0.2)
    except guard.CannotCount as reason:
        if os.environ.get("CARETALLY_REQUIRE_SERVICES") == "1":
            pytest.fail(f"instructions must be counted and cannot be: {reason}")
        pytest.skip(f"no instruction counts: {reason}")


def test_no_hot_path_needs_15_percent_more_instructions(
    counted: guard.Ratios, baseline: guard.Ratios
) -> None:
    """Decode, decide and evolve, assess, encode and append, replay fold."""
    assert guard.faults({name: counted[name] for name in PATHS}, baseline) == []


def test_a_hot_path_that_is_a_fifth_slower_is_noticed(
    counted: guard.Ratios, baseline: guard.Ratios
) -> None:
    """Against what the path needs in the same count, so that a quicker one hides nothing."""
    same = baseline | {SLOWED: counted[SLOWED]}
    (told,) = guard.faults({n: r for n, r in counted.items() if n not in PATHS}, same)
    assert told.startswith(f"{SLOWED}, slowed on purpose: 1.")


def test_the_limit_is_15_percent_and_less_is_never_a_fault() -> None:
    known = {"decode": 2.0, "assess": 1.0}
    assert guard.faults({"decode": 2.29, "assess": 0.3}, known) == []
    assert guard.faults({"decode": 2.31, "assess": 1.0}, known) == [
        "decode: 1.16 times the instructions of the baseline"
    ]
