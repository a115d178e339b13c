"""Conformance cases: facts and the answer expected of them, for this product or any other."""

from __future__ import annotations

from services.conformance.cases import Case, load_cases
from services.conformance.expectation import Expectation
from services.conformance.reading import CaseError
from services.conformance.runner import Difference, Result, run, run_case

__all__ = [
    "Case",
    "CaseError",
    "Difference",
    "Expectation",
    "Result",
    "load_cases",
    "run",
    "run_case",
]
