"""What all tests share: how thorough property tests are, and a clean start under mutants."""

from __future__ import annotations

from importlib import reload

import pytest
from hypothesis import HealthCheck, Phase, settings

from domain.fees import factors, rvus
from domain.fees.figures import FigureSet
from domain.fees.gpci import GPCIS
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

    Each mutant is tried in a fork of a process that ran all tests before: an answer kept there,
    or a table made at import, would hide the mutant.
    """
    if hunting_mutants():
        BOOK._sets.clear()
        calendar._utc_month.cache_clear()
        tables = FigureSet(rvus=reload(rvus).RVUS, factors=reload(factors).FACTORS, gpcis=GPCIS)
        BUILT_IN.__dict__.update(layers=(tables,))
        for kept in ("digest", "lookup"):
            BUILT_IN.__dict__.pop(kept, None)
        BUILT_IN.__post_init__()
