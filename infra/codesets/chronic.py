"""Which diagnosis codes public code sets count as chronic, with the days each set holds for.

The data (`chronic.csv`) is made by `tools/chronic_codes.py`; where it is from stands in
`docs/chronic-hints.md`. A code that no set names is not thereby said not to be chronic.
"""

from __future__ import annotations

import csv
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

CATEGORY_CHARS = 3
ITSELF = "-"
"""Stands for a category that is a code itself, such as I10."""


class CodeSet(NamedTuple):
    """A code set: its name with the version, and the days it holds for (`last` None: no end)."""

    name: str
    title: str
    first: date
    last: date | None

    def holds(self, first: date, last: date) -> bool:
        """Whether it holds for a day of these."""
        return self.first <= last and (self.last is None or self.last >= first)


class _Sets(NamedTuple):
    by_name: dict[str, CodeSet]
    by_category: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]]


def counted_chronic_by(code: str, first: date, last: date) -> list[CodeSet]:
    """The sets that hold for a day of these and count an ICD-10-CM code as chronic, by name."""
    bare = code.replace(".", "")
    category, rest = bare[:CATEGORY_CHARS], bare[CATEGORY_CHARS:] or ITSELF
    sets = _sets()
    names = {
        name
        for group, codes in sets.by_category.get(category, ())
        for name in group
        if rest in codes
    }
    found = [sets.by_name[name] for name in sorted(names)]
    return [each for each in found if each.holds(first, last)]


@lru_cache(maxsize=1)
def _sets() -> _Sets:
    sets = _Sets({}, {})
    text = files("infra.codesets").joinpath("chronic.csv").read_text("utf-8")
    for kind, *row in csv.reader(text.splitlines()):
        if kind == "set":
            name, first, last, title = row[:4]
            ends = date.fromisoformat(last) if last else None
            sets.by_name[name] = CodeSet(name, title, date.fromisoformat(first), ends)
        else:
            names, category, codes = row
            group = (tuple(names.split("+")), frozenset(codes.split()))
            sets.by_category.setdefault(category, []).append(group)
    return sets
