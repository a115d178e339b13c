"""Makes `infra/codesets/chronic.csv`: which diagnosis codes public code sets count as chronic.

    pip install pypdf
    python tools/chronic_codes.py --ccw chr-chronic-condition-algorithms2022.pdf \\
        --cci cci_icd10cm_2019_1.csv > infra/codesets/chronic.csv

Where the two files are from, and what is left out of them, stands in docs/chronic-hints.md. The
result has codes alone: no description of any of them.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import re
import sys
from collections import defaultdict
from pathlib import Path

CCW, CCI = "ccw-30-2022-02", "cci-2019.1"
SETS = {
    CCW: (
        "CMS Chronic Conditions Warehouse, 30 conditions, revised February 2022",
        "https://www2.ccwdata.org/web/guest/condition-categories-chronic",
        "work of the United States government, public domain",
    ),
    CCI: (
        "AHRQ HCUP Chronic Condition Indicator for ICD-10-CM, version 2019.1",
        "https://hcup-us.ahrq.gov/toolssoftware/chronic_icd10/chronic_icd10.jsp",
        "work of the United States government, public domain",
    ),
}
FIRST = "2015-10-01"
"""ICD-10-CM is used from that day on; neither set says an end."""

NOT_LASTING = ("Acute Myocardial Infarction", "Hip/Pelvic Fracture", "Pneumonia, All-cause")
"""Conditions that the warehouse follows and that are over after a while."""

NOT_DISEASES = "PSTZ"
"""Chapters of births, injuries and reasons for contact: a history of cancer is no cancer."""

CODE = re.compile(r"\b[A-TV-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?\b")
START = re.compile(r"\b[1-3] years? (?=[A-Z][0-9])")


def of_warehouse(path: Path) -> set[str]:
    """Codes of the CCW's own document, condition by condition."""
    from pypdf import PdfReader

    pages = [page.extract_text() for page in PdfReader(path).pages]
    contents = next(page for page in pages if "Table of Contents" in page)
    named = [re.split(r"\s*\.{4,}", line)[0].strip() for line in contents.splitlines()]
    names = [name for name in named if name and "CCW Chronic" not in name]
    names = names[names.index(NOT_LASTING[0]) : names.index("Algorithms Change History")]
    text = "\n".join(pages).rpartition("Algorithms Change History")[0]
    parts = START.split(text)[1:]
    if len(parts) != len(names):
        raise SystemExit(f"{path}: expected {len(names)} conditions; found {len(parts)}")
    found: set[str] = set()
    for name, part in zip(names, parts, strict=True):
        if name not in NOT_LASTING:
            found.update(CODE.findall(part.partition("EXCLUSION")[0]))
    return {code for code in found if code[0] not in NOT_DISEASES}


def of_indicator(path: Path) -> set[str]:
    """Codes that the indicator flags; the file writes them without a dot and in quotes."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))[1:]
    bare = [row[0].strip("'") for row in rows if row[2].strip("'") == "1"]
    dotted = {f"{code[:3]}.{code[3:]}" if len(code) > 3 else code for code in bare}
    return {code for code in dotted if code[0] not in NOT_DISEASES}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--ccw", type=Path, required=True, help="the CCW's algorithms as PDF")
    parser.add_argument("--cci", type=Path, required=True, help="the CCI's file as CSV")
    asked = parser.parse_args()
    codes = {CCW: of_warehouse(asked.ccw), CCI: of_indicator(asked.cci)}
    out = csv.writer(sys.stdout, lineterminator="\n")
    for name, path in ((CCI, asked.cci), (CCW, asked.ccw)):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        title, source, licence = SETS[name]
        out.writerow(["set", name, FIRST, "", title, source, licence, digest])
    for line in lines(codes):
        out.writerow(line)


def lines(codes: dict[str, set[str]]) -> list[list[str]]:
    """One line a category and combination of sets: `codes`, the sets, the category, what follows
    the dot (`-` for the category itself)."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for code in set().union(*codes.values()):
        sets = "+".join(sorted(name for name in codes if code in codes[name]))
        found[code[:3], sets].append(code[4:] or "-")
    return [
        ["codes", sets, category, " ".join(sorted(found[category, sets]))]
        for category, sets in sorted(found)
    ]


if __name__ == "__main__":
    main()
