"""Mutants of the rules as data: `python -m tests.rule_mutants`.

The rules are rows: a tool that changes functions never touches them. Here every row and constant
is changed in each small way that means something else (a second more, a month later, one code
fewer, another pool), and the conformance cases and the tests of the rules are run until one
notices. Exit 1 when less than `KILLED_AT_LEAST` of the mutants are noticed.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any, get_args
from unittest.mock import patch

import pytest

from domain.assess import findings
from domain.fees.schedule import BUILT_IN
from domain.rules import BOOK, book
from domain.rules.codes import Pool, ProviderKind
from domain.rules.services import Effect, Who
from services.conformance import Case, load_cases, run_case
from tests.mutants import KILLED_AT_LEAST

CASES = Path(__file__).resolve().parents[1] / "conformance"
TESTS = Path(__file__).parent / "domain" / "test_rules.py"
TABLES: tuple[tuple[str, tuple[ModuleType, ...]], ...] = (
    ("CODE_RULES", (book,)),
    ("FAMILY_RULES", (book,)),
    ("SERVICE_RULES", (book,)),
    ("CONSENT_RULES", (book,)),
    ("VISIT_RULES", (book,)),
    ("COMPLEX_RULES", (book,)),
    ("QUALIFYING_VISIT_RULES", (findings,)),
    ("ELIGIBLE_CREDENTIALS", (findings,)),
    ("EM_VISIT_CODES", (findings,)),
    ("CONDITIONS_MIN", (findings,)),
    ("CONDITION_CATEGORY_LENGTH", (findings,)),
)
"""What decides an answer, and where it is looked up."""

CHOICES: dict[str, tuple[object, ...]] = {
    "pool": get_args(Pool),
    "effect": get_args(Effect),
    "who": get_args(Who),
    "discussed_for": ("everybody", "new-patients"),
}
KINDS: frozenset[object] = frozenset(get_args(ProviderKind))
BEFORE_EVERYTHING = date(2010, 1, 1)
"""A row that begins here holds from the first day that any fact may have."""
UNTOUCHED = ("rule_id", "citation", "family", "code")


@dataclass(frozen=True)
class Mutant:
    table: str
    words: str
    value: object


def mutants() -> Iterator[Mutant]:
    for table, (module, *_) in TABLES:
        value = getattr(module, table)
        if isinstance(value, tuple):
            for index, row in enumerate(value):
                yield Mutant(table, f"{row.rule_id}: gone", value[:index] + value[index + 1 :])
                for words, other in _rows(row):
                    changed = (*value[:index], other, *value[index + 1 :])
                    yield Mutant(table, f"{row.rule_id}: {words}", changed)
        else:
            for words, other in _values(table, value):
                yield Mutant(table, words, other)


def _rows(row: Any) -> Iterator[tuple[str, Any]]:
    for member in fields(row):
        if member.name not in UNTOUCHED:
            for words, other in _values(member.name, getattr(row, member.name)):
                yield f"{member.name} {words}", replace(row, **{member.name: other})


def _values(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Other values of the same kind, each by one step."""
    if name in CHOICES:
        yield from ((f"is {other}", other) for other in CHOICES[name] if other != value)
    elif isinstance(value, bool):
        yield f"is {not value}", not value
    elif isinstance(value, int):
        yield from ((f"is {other}", other) for other in (value - 1, value + 1))
    elif isinstance(value, date) and value != BEFORE_EVERYTHING:
        yield from ((f"is {other}", other) for other in _months_beside(value))
    elif isinstance(value, frozenset):
        yield from ((f"without {one}", value - {one}) for one in sorted(value))
    elif isinstance(value, tuple):
        yield from ((f"without {one}", tuple(o for o in value if o != one)) for one in value)
        yield from ((f"with {one}", (*value, one)) for one in sorted(KINDS - set(value)))


def _months_beside(day: date) -> tuple[date, date]:
    """The same place in the month before and after: a first day stays one, a last day too."""
    if day.day == 1:
        return (day - timedelta(days=1)).replace(day=1), (day + timedelta(days=31)).replace(day=1)
    first = day.replace(day=1)
    return first - timedelta(days=1), (first + timedelta(days=62)).replace(day=1) - timedelta(1)


@contextmanager
def rules_as(mutant: Mutant) -> Iterator[None]:
    modules = dict(TABLES)[mutant.table]
    patches = [patch.object(module, mutant.table, mutant.value) for module in modules]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()


def failing_case(mutant: Mutant, cases: list[Case]) -> Case | None:
    """The first case that fails under the mutant; None where all pass."""
    with rules_as(mutant):
        rules = book.RuleBook(BUILT_IN)
        for case in cases:
            try:
                if not run_case(case, rules).passed:
                    return case
            except (ArithmeticError, LookupError):
                return case
    return None


def fails_a_test(mutant: Mutant) -> bool:
    BOOK._sets.clear()
    with rules_as(mutant), redirect_stdout(StringIO()) as told:
        outcome = pytest.main(["-x", "-p", "no:cacheprovider", str(TESTS)])
    BOOK._sets.clear()
    if outcome not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
        raise RuntimeError(told.getvalue())
    return outcome is pytest.ExitCode.TESTS_FAILED


def main() -> int:
    cases = load_cases([CASES])
    tried: Counter[str] = Counter()
    survived: Counter[str] = Counter()
    for mutant in mutants():
        tried[mutant.table] += 1
        failing = failing_case(mutant, cases)
        if failing is not None:  # it is likely to notice the next one too
            cases.remove(failing)
            cases.insert(0, failing)
        elif not fails_a_test(mutant):
            survived[mutant.table] += 1
            print(f"survived  {mutant.table} {mutant.words}")
    print("| table | mutants | killed | survived | share |")
    print("|---|---:|---:|---:|---:|")
    for table in (*tried, "all"):
        count = tried.total() if table == "all" else tried[table]
        alive = survived.total() if table == "all" else survived[table]
        print(f"| {table} | {count} | {count - alive} | {alive} | {(count - alive) / count:.1%} |")
    killed = tried.total() - survived.total()
    return 0 if killed >= KILLED_AT_LEAST * tried.total() else 1


if __name__ == "__main__":
    sys.exit(main())
