"""The locality index file (GPCI): title, blank row, header, localities, footnotes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from decimal import Decimal

from domain.fees.figures import FigureSet, Gpci
from infra.feefiles.model import FeeFile, FeeFileError, ReadOptions, number
from infra.feefiles.periods import Period, given_period, whole_year, year_of
from infra.feefiles.sources import Source

HEADER_WITHIN_LINES = 40
_YEAR = re.compile(r"\b(20\d\d)\b")
_INDEX_MIN, _INDEX_MAX = Decimal("0.1"), Decimal(5)

_MAC = re.compile(r"CONTRACTOR|^MAC\b|^CARRIER")
_LOCALITY = re.compile(r"LOCALITY (NUMBER|CODE)")
_WORK = re.compile(r"\b(PW|WORK) GPCI")
_WITHOUT_FLOOR = re.compile(r"WITHOUT")
_WITH_FLOOR = re.compile(r"\bWITH\b")
_PE = re.compile(r"\bPE GPCI")
_MP = re.compile(r"\b(MP|MALPRACTICE) GPCI")

Row = tuple[int, list[str]]


def gpci_file(source: Source, options: ReadOptions) -> FeeFile:
    """The checked indices of one locality file. Raises `FeeFileError`."""
    name = source.name
    rows = _rows(source)
    said, line, header = _head(name, rows)
    year = year_of(name, said, options)
    places, note = _places(name, line, header, options)
    period = given_period(name, year, options) or whole_year(year)
    gpcis = _gpcis(name, rows, places, header, period)
    if len(gpcis) < options.least.localities:
        raise FeeFileError(
            name,
            f"{len(gpcis)} localities, an official file has at least "
            f"{options.least.localities}: it was cut off",
        )
    figures = FigureSet(gpcis=tuple(gpcis))
    return FeeFile(name, "gpci", year, None, *period, figures, len(gpcis), notes=(note,))


def _rows(source: Source) -> Iterator[Row]:
    with source.open_text() as text:
        reader = csv.reader(text, strict=True)
        try:
            for row in reader:
                yield reader.line_num, row
        except csv.Error as error:
            raise FeeFileError(
                source.name, f"not well-formed CSV ({error})", line=reader.line_num
            ) from error


def _head(file: str, rows: Iterator[Row]) -> tuple[set[int], int, list[str]]:
    """The years the head names, the header's line and its headings."""
    titles = ""
    for line, row in rows:
        headings = [" ".join(cell.upper().split()) for cell in row]
        if any(_LOCALITY.search(heading) for heading in headings):
            # The header's own years count before the title's.
            said = _years(" ".join(headings)) or _years(titles)
            return said, line, headings
        titles += " ".join((" ", *row))
        if line > HEADER_WITHIN_LINES:
            break
    raise FeeFileError(file, f"no 'Locality Number' header within {HEADER_WITHIN_LINES} lines")


def _years(text: str) -> set[int]:
    return {int(year) for year in _YEAR.findall(text)}


def _places(
    file: str, line: int, header: list[str], options: ReadOptions
) -> tuple[dict[str, int], str]:
    def one(what: str, pattern: re.Pattern[str]) -> int:
        found = [at for at, heading in enumerate(header) if pattern.search(heading)]
        if len(found) != 1:
            problem = "is missing" if not found else "stands there several times"
            raise FeeFileError(file, f"the column {what!r} {problem} in the header", line=line)
        return found[0]

    work = _work_place(file, line, header, options.work_floor)
    places = {
        "mac": one("Medicare Administrative Contractor", _MAC),
        "locality": one("Locality Number", _LOCALITY),
        "work": work,
        "pe": one("PE GPCI", _PE),
        "mp": one("MP GPCI", _MP),
    }
    return places, f"work index taken from the column {header[work]!r}"


def _work_place(file: str, line: int, header: list[str], floor: bool) -> int:
    found = {at: heading for at, heading in enumerate(header) if _WORK.search(heading)}
    without = [at for at, heading in found.items() if _WITHOUT_FLOOR.search(heading)]
    floored = [at for at, heading in found.items() if _WITH_FLOOR.search(heading)]
    plain = [at for at in found if at not in without and at not in floored]
    choice = (floored or plain) if floor else without
    if len(choice) != 1:
        wanted = "with" if floor else "without"
        raise FeeFileError(
            file,
            f"expected one work index column {wanted} the 1.0 floor, found {len(choice)}",
            line=line,
        )
    return choice[0]


def _gpcis(
    file: str, rows: Iterator[Row], places: dict[str, int], header: list[str], period: Period
) -> list[Gpci]:
    gpcis: list[Gpci] = []
    lines: dict[str, int] = {}
    for line, row in rows:
        if not _is_locality(file, line, row, places, len(header)):
            continue
        key = _key(file, line, row, places)
        if key in lines:
            raise FeeFileError(
                file, f"{key} stands here a second time, first in line {lines[key]}", line=line
            )
        lines[key] = line
        work, pe, mp = (
            _index(file, line, row, places[name], header) for name in ("work", "pe", "mp")
        )
        gpcis.append(Gpci(key, *period, work, pe, mp))
    return gpcis


def _is_locality(file: str, line: int, row: list[str], places: dict[str, int], width: int) -> bool:
    cells = [cell.strip() for cell in row]
    if sum(1 for cell in cells if cell) <= 1:
        return False  # blank, or a footnote in its first cell
    if len(row) != width:
        raise FeeFileError(
            file, f"expected {width} columns, found {len(row)}: cut off or damaged", line=line
        )
    return any(cells[place] for place in places.values())


def _key(file: str, line: int, row: list[str], places: dict[str, int]) -> str:
    # Spreadsheets drop leading zeros: 2102-1 is 02102-01.
    mac = row[places["mac"]].strip().zfill(5)
    locality = row[places["locality"]].strip().rstrip("*").zfill(2)
    for text, size, what in ((mac, 5, "mac"), (locality, 2, "locality")):
        if not (text.isascii() and text.isdigit() and len(text) == size):
            raise FeeFileError(
                file,
                f"expected at most {size} digits, found {text!r}",
                line=line,
                column=f"{places[what] + 1} ({what})",
            )
    return f"{mac}-{locality}"


def _index(file: str, line: int, row: list[str], place: int, header: list[str]) -> Decimal:
    column = f"{place + 1} ({header[place]})"
    value = number(row[place].strip().rstrip("*"), file, line, column)
    if value is None or not _INDEX_MIN <= value <= _INDEX_MAX:
        found = "nothing" if value is None else str(value)
        raise FeeFileError(
            file,
            f"expected an index from {_INDEX_MIN} to {_INDEX_MAX}, found {found}",
            line=line,
            column=column,
        )
    return value
