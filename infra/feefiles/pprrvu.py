"""The relative value file (PPRRVU): comma-separated, with a split header, or fixed width."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple

from infra.feefiles.model import FeeFileError
from infra.feefiles.sources import Source

NUMBERS = (
    "work RVU",
    "non-facility PE RVU",
    "facility PE RVU",
    "MP RVU",
    "non-facility total",
    "facility total",
    "conversion factor",
)
HEADER_WITHIN_LINES = 40
CODE = re.compile(r"^[0-9A-Z]{5}$")
_TITLE_YEAR = re.compile(r"\b(20\d\d)\s+National Physician Fee Schedule", re.IGNORECASE)


class Record(NamedTuple):
    """One row as written. `numbers` stand in the order of `NUMBERS`; `columns` name them."""

    line: int
    code: str
    modifier: str
    status: str
    pricing: str
    numbers: tuple[str, ...]
    columns: tuple[str, ...]


class Table(NamedTuple):
    """The years the head of the file names, and its rows."""

    years: set[int]
    records: Iterator[Record]


# How each column's merged heading reads; the pricing indicator exists from 2026 on.
_HEADINGS: dict[str, re.Pattern[str]] = {
    "status code": re.compile(r"^STATUS( CODE)?$"),
    "work RVU": re.compile(r"\bWORK RVUS?$"),
    "non-facility PE RVU": re.compile(r"^(FULLY IMPLEMENTED )?NON-?\s?FAC(ILITY)? PE RVUS?$"),
    "facility PE RVU": re.compile(r"^(FULLY IMPLEMENTED )?FAC(ILITY)? PE RVUS?$"),
    "MP RVU": re.compile(r"^(MP|MALPRACTICE) RVUS?$"),
    "non-facility total": re.compile(r"^(FULLY IMPLEMENTED )?NON-?\s?FAC(ILITY)? TOTAL$"),
    "facility total": re.compile(r"^(FULLY IMPLEMENTED )?FAC(ILITY)? TOTAL$"),
    "conversion factor": re.compile(r"^CONV(ERSION)? FACTOR$"),
}
_PRICING = re.compile(r"^PRIC(ING)? IND(ICATOR)?$")


def read_csv(source: Source) -> Table:
    """Rows of the comma-separated form; the header is found by its words, not its place."""
    rows = _rows(source)
    preamble: list[list[str]] = []
    for line, row in rows:
        if row and row[0].strip().lstrip("ï»¿").upper() == "HCPCS":
            headings = _headings(preamble, row)
            places = _places(source.name, line, headings)
            return Table(_years(preamble), _csv_records(source.name, rows, places, len(row)))
        preamble.append(row)
        if line > HEADER_WITHIN_LINES:
            break
    raise FeeFileError(source.name, f"no HCPCS header within {HEADER_WITHIN_LINES} lines")


def _rows(source: Source) -> Iterator[tuple[int, list[str]]]:
    with source.open_text() as text:
        reader = csv.reader(text, strict=True)
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise FeeFileError(
                source.name, f"not well-formed CSV ({error})", line=reader.line_num
            ) from error


def _headings(preamble: list[list[str]], header: list[str]) -> list[str]:
    """The heading of each column: CMS splits it over several rows, one above the other."""
    merged = []
    for column, last in enumerate(header):
        above = [row[column] for row in preamble if column < len(row)]
        merged.append(" ".join(" ".join([*above, last]).upper().split()))
    return merged


def _places(file: str, line: int, headings: list[str]) -> dict[str, int]:
    places = {}
    for name, pattern in _HEADINGS.items():
        found = [at for at, heading in enumerate(headings) if pattern.search(heading)]
        if len(found) != 1:
            problem = "is missing" if not found else "stands there several times"
            raise FeeFileError(file, f"the column {name!r} {problem} in the header", line=line)
        places[name] = found[0]
    for at, heading in enumerate(headings):
        if _PRICING.match(heading):
            places["pricing"] = at
    return places


def _years(preamble: list[list[str]]) -> set[int]:
    cells = " ".join(cell for row in preamble for cell in row)
    return {int(year) for year in _TITLE_YEAR.findall(cells)}


def _csv_records(
    file: str, rows: Iterator[tuple[int, list[str]]], places: dict[str, int], width: int
) -> Iterator[Record]:
    at = [places[name] for name in NUMBERS]
    columns = tuple(f"{place + 1} ({name})" for place, name in zip(at, NUMBERS, strict=True))
    pricing = places.get("pricing")
    for line, row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) != width:
            raise FeeFileError(
                file, f"expected {width} columns, found {len(row)}: cut off or damaged", line=line
            )
        code = row[0].strip().upper()
        if not CODE.match(code):
            if any(row[place].strip() for place in at):
                raise FeeFileError(file, f"{code!r} is not a code", line=line, column="1 (HCPCS)")
            continue  # a footnote
        yield Record(
            line,
            code,
            row[1].strip().upper(),
            row[places["status code"]].strip().upper(),
            row[pricing].strip() if pricing is not None else "",
            tuple(row[place] for place in at),
            columns,
        )


# CMS record layout, counted from 1, both ends inclusive, in the order of NUMBERS.
_SPANS = ((60, 65), (67, 72), (76, 81), (85, 89), (91, 96), (97, 102), (133, 140))
_SPAN_NAMES = tuple(
    f"{first}-{last} ({name})" for (first, last), name in zip(_SPANS, NUMBERS, strict=True)
)
_LEAST_WIDTH = 140


def read_fixed(source: Source) -> Table:
    """Rows of the fixed-width form; its head names no year for certain."""
    return Table(set(), _fixed_records(source))


def _fixed_records(source: Source) -> Iterator[Record]:
    with source.open_text() as text:
        for line, raw in enumerate(text, start=1):
            record = raw.rstrip("\r\n\x1a")
            if not record.strip() or record.startswith(("HDR", "TRL")):
                continue
            if len(record) < _LEAST_WIDTH:
                raise FeeFileError(
                    source.name,
                    f"expected at least {_LEAST_WIDTH} characters, found {len(record)}: "
                    "cut off or damaged",
                    line=line,
                )
            code = record[:5].upper()
            if not CODE.match(code):
                raise FeeFileError(
                    source.name, f"{code!r} is not a code", line=line, column="1-5 (HCPCS)"
                )
            numbers = tuple(record[first - 1 : last] for first, last in _SPANS)
            yield Record(
                line,
                code,
                record[5:7].strip().upper(),
                record[57],
                record[120].strip(),
                numbers,
                _SPAN_NAMES,
            )
