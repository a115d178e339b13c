"""How many examples a property test draws: as many as it asks for, few when hunting mutants."""

from __future__ import annotations

from hypothesis import settings

MUTANTS = "mutants"
"""The profile of mutation runs: quick, and the same every time."""
MUTANT_EXAMPLES = 12


def hunting_mutants() -> bool:
    return settings.get_current_profile_name() == MUTANTS


def examples(wished: int) -> int:
    """The number to put as `max_examples`."""
    return min(wished, MUTANT_EXAMPLES) if hunting_mutants() else wished
