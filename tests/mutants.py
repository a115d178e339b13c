"""What a mutation run found, module by module: `python -m tests.mutants`, after `mutmut run`.

A mutant counts as killed when a test fails on it. One that runs out of time may loop for ever or
have met a busy machine: it does not count. Exit 1 when less than `KILLED_AT_LEAST` of those that
were tried are killed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from mutmut.stats import status_by_exit_code

MUTANTS = Path("mutants")
KILLED_AT_LEAST = 0.9
CRASHED = ("segfault", "suspicious")


def outcomes(folder: Path) -> dict[str, Counter[str]]:
    """By module: how many mutants were killed, timed out, survived, were met by no test or not
    tried."""
    found = {}
    for meta in sorted(folder.rglob("*.py.meta")):
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            module = str(meta.relative_to(folder)).removesuffix(".meta")
            found[module] = Counter(_outcome(code) for code in codes.values())
    return found


def _outcome(exit_code: int | None) -> str:
    status = status_by_exit_code[exit_code]
    return "killed" if status in CRASHED else status


def tried(counts: Counter[str]) -> int:
    return counts.total() - counts["not checked"]


def main() -> int:
    found = outcomes(MUTANTS)
    total: Counter[str] = sum(found.values(), Counter())
    print("| module | mutants | killed | out of time | survived | no test | killed of all |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for module, counts in [*found.items(), ("all", total)]:
        if tried(counts):
            share = f"{counts['killed'] / tried(counts):.1%}"
            numbers = (tried(counts), counts["killed"], counts["timeout"], counts["survived"])
            cells = (module, *numbers, counts["no tests"], share)
            print("| " + " | ".join(str(cell) for cell in cells) + " |")
    return 0 if tried(total) and total["killed"] >= KILLED_AT_LEAST * tried(total) else 1


if __name__ == "__main__":
    sys.exit(main())
