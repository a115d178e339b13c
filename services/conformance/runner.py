"""Runs cases the way real input runs: decoded, decided, folded, assessed."""

from __future__ import annotations

import json as json_form
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from domain.assess import assess
from domain.patient import Accepted, Patient, decide, evolve
from domain.rules import BOOK, RuleBook
from services.conformance.cases import Case, load_cases
from services.conformance.expectation import Difference
from services.conformance.reading import CaseError

__all__ = ["Difference", "Result", "run", "run_case"]


@dataclass(frozen=True, slots=True)
class Result:
    """How one case went; no differences: it passed."""

    case: Case
    differences: tuple[Difference, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


def run_case(case: Case, book: RuleBook) -> Result:
    """Fold the case's events in its order and hold the month's answer against `expect`."""
    first = case.events[0] if case.events else None
    patient = Patient(first.practice_id if first else "", case.id)
    for event in case.events:
        if isinstance(decide(patient, event), Accepted):
            evolve(patient, event)
    answer = assess(patient, case.month, book, case.policy)
    return Result(case, case.expect.differences(answer))


def run(
    paths: Sequence[Path | str],
    json: bool,
    out: TextIO,
    err: TextIO | None = None,
    book: RuleBook = BOOK,
) -> int:
    """Run every case of these files and folders and print how they went.

    Returns the exit code: 0 all passed, 1 some failed, 2 a file could not be read (nothing is
    run then; the sentence goes to `err`, standard error by default).
    """
    try:
        cases = load_cases(paths)
    except CaseError as error:
        print(f"error: {error}", file=sys.stderr if err is None else err)
        return 2
    results = [run_case(case, book) for case in cases]
    lines = _json_lines(results) if json else _text_lines(results)
    print("\n".join(lines), file=out)
    return 0 if all(result.passed for result in results) else 1


def _json_lines(results: list[Result]) -> list[str]:
    objects: list[dict[str, Any]] = [
        {
            "id": result.case.id,
            "title": result.case.title,
            "authority": result.case.authority,
            "file": str(result.case.path),
            "passed": result.passed,
            "differences": [asdict(difference) for difference in result.differences],
        }
        for result in results
    ]
    return [json_form.dumps(one) for one in [*objects, {"summary": _summary(results)}]]


def _text_lines(results: list[Result]) -> list[str]:
    lines = []
    for result in results:
        if not result.passed:
            lines.append(f"FAIL {result.case.id}: {result.case.title} ({result.case.path})")
            for one in result.differences:
                lines.append(f"     {one.field}: expected {one.expected}, found {one.found}")
    total = _summary(results)
    lines.append(f"{total['cases']} cases, {total['passed']} passed, {total['failed']} failed")
    return lines


def _summary(results: list[Result]) -> dict[str, int]:
    passed = sum(result.passed for result in results)
    return {"cases": len(results), "passed": passed, "failed": len(results) - passed}
