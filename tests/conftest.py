"""What all tests share: how thorough property tests are, and a clean start under mutants."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

from domain.fees.schedule import BUILT_IN
from domain.rules import BOOK
from domain.time import calendar
from tests.thoroughness import MUTANT_EXAMPLES, MUTANTS, hunting_mutants

settings.register_profile(
    MUTANTS,
    max_examples=MUTANT_EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    """In a mutation run every test starts without what an earlier one worked out.

    Each mutant is tried in a fork of a process that ran all tests before: an answer kept there
    would hide the mutant.
    """
    if hunting_mutants():
        BOOK._sets.clear()
        BUILT_IN._kept.cache_clear()  # type: ignore[attr-defined]
        for kept in ("digest", "lookup"):
            BUILT_IN.__dict__.pop(kept, None)
        for layer in BUILT_IN.layers:
            layer.__dict__.pop("digest", None)
        calendar._utc_month.cache_clear()
