"""What a mutation run found, module by module: `python -m tests.mutants`, after `mutmut run`.

A mutant counts as killed when a test fails on it or never ends. Exit 1 when less than
`KILLED_AT_LEAST` of those that were tried are killed.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

from mutmut.stats import status_by_exit_code

MUTANTS = Path("mutants")
KILLED_AT_LEAST = 0.9
KILLED = ("killed", "timeout", "segfault", "suspicious")


def outcomes(folder: Path) -> dict[str, Counter[str]]:
    """By module: how many mutants were killed, survived, were met by no test, or not tried."""
    found = {}
    for meta in sorted(folder.rglob("*.py.meta")):
        codes = json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"]
        if codes:
            module = str(meta.relative_to(folder)).removesuffix(".meta")
            found[module] = Counter(_outcome(code) for code in codes.values())
    return found


def _outcome(exit_code: int | None) -> str:
    status = status_by_exit_code[exit_code]
    return "killed" if status in KILLED else status


def main() -> int:
    found = outcomes(MUTANTS)
    total: Counter[str] = sum(found.values(), Counter())
    rows = [*found.items(), ("all", total)]
    print("| module | mutants | killed | survived | no test | share |")
    print("|---|---:|---:|---:|---:|---:|")
    for module, counts in rows:
        tried = counts.total() - counts["not checked"]
        share = f"{counts['killed'] / tried:.1%}" if tried else "not tried"
        cells = (tried, counts["killed"], counts["survived"], counts["no tests"], share)
        print(f"| {module} | " + " | ".join(str(cell) for cell in cells) + " |")
    tried = total.total() - total["not checked"]
    return 0 if tried and total["killed"] >= KILLED_AT_LEAST * tried else 1


if __name__ == "__main__":
    sys.exit(main())
