"""Priced amounts by carrier and locality (PFALL, PFREV): quoted, comma-separated, fixed width."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal

from domain.fees.figures import CCM_CODES, FigureSet, LocalityAmount
from infra.feefiles.model import FeeFile, FeeFileError, ReadOptions, number
from infra.feefiles.periods import Period, amounts_period, qp_of, year_of
from infra.feefiles.sources import Source

# CMS record layout: from, to (exclusive, counted from 0).
_YEAR = slice(1, 5)
_CARRIER = slice(8, 13)
_LOCALITY = slice(16, 18)
_CODE = slice(21, 26)
_MODIFIER = slice(29, 31)
_NONFACILITY = slice(34, 44)
_FACILITY = slice(47, 57)
_LEAST_WIDTH = 57
_QUOTES = ((5, 8), (13, 16), (18, 21), (26, 29), (31, 34), (44, 47))
_WANTED = frozenset(CCM_CODES)

_Amounts = tuple[Decimal, Decimal]


@dataclass(slots=True)
class _Collected:
    file: str
    rows: int = 0
    year: str = ""
    trailer: bool = False
    localities: set[str] = field(default_factory=set)
    lines: dict[tuple[str, str], int] = field(default_factory=dict)
    kept: dict[tuple[str, str], _Amounts] = field(default_factory=dict)


def pfall_file(source: Source, options: ReadOptions) -> FeeFile:
    """The checked amounts of one priced file. Raises `FeeFileError`."""
    collected = _Collected(source.name)
    with source.open_text() as text:
        for line, raw in enumerate(text, start=1):
            record = raw.rstrip("\r\n\x1a")
            if record:
                _take(collected, line, record)
    _check_whole(collected, options)
    year = year_of(source.name, {int(collected.year)}, options)
    qp = qp_of(source.name, year, None, options)
    period = amounts_period(source.name, year, qp, options)
    figures = FigureSet(amounts=_amounts(collected, period, qp))
    notes = () if collected.trailer else ("the file has no trailer record (TRL)",)
    return FeeFile(
        source.name, "pfall", year, qp, *period, figures, collected.rows, _missing(collected), notes
    )


def _take(collected: _Collected, line: int, record: str) -> None:
    if record.startswith(('"TRL', "TRL")):
        collected.trailer = True
        return
    _check_form(collected, line, record)
    collected.rows += 1
    locality = f"{record[_CARRIER]}-{record[_LOCALITY]}"
    collected.localities.add(locality)
    if record[_CODE] in _WANTED and not record[_MODIFIER].strip():
        _keep(collected, line, record, locality)


def _check_form(collected: _Collected, line: int, record: str) -> None:
    well_formed = (
        len(record) >= _LEAST_WIDTH
        and record[0] == '"'
        and all(record[first:last] == '","' for first, last in _QUOTES)
    )
    if not well_formed:
        raise FeeFileError(
            collected.file,
            "not a record of the priced layout (quoted fields of fixed width): cut off or damaged",
            line=line,
        )
    if record[_YEAR] != collected.year:
        _check_year(collected, line, record[_YEAR])


def _check_year(collected: _Collected, line: int, year: str) -> None:
    if collected.year or not (year.isascii() and year.isdigit()):
        expected = collected.year or "four digits"
        raise FeeFileError(
            collected.file, f"expected {expected}, found {year!r}", line=line, column="2-5 (year)"
        )
    collected.year = year


def _keep(collected: _Collected, line: int, record: str, locality: str) -> None:
    if not locality.replace("-", "", 1).isdigit():
        raise FeeFileError(
            collected.file,
            f"expected digits, found {locality!r}",
            line=line,
            column="9-18 (carrier and locality)",
        )
    key = (locality, record[_CODE])
    if key in collected.lines:
        raise FeeFileError(
            collected.file,
            f"{record[_CODE]} in {locality} stands here a second time, first in line "
            f"{collected.lines[key]}",
            line=line,
        )
    collected.lines[key] = line
    nonfacility = number(record[_NONFACILITY], collected.file, line, "35-44 (non-facility fee)")
    facility = number(record[_FACILITY], collected.file, line, "48-57 (facility fee)")
    if nonfacility is None or facility is None:
        raise FeeFileError(collected.file, f"{record[_CODE]}: an amount is missing", line=line)
    if nonfacility:  # zero: listed, but not payable under the fee schedule
        collected.kept[key] = (nonfacility, facility)


def _check_whole(collected: _Collected, options: ReadOptions) -> None:
    if len(collected.localities) < options.least.localities:
        raise FeeFileError(
            collected.file,
            f"{len(collected.localities)} localities, an official file has at least "
            f"{options.least.localities}: it was cut off",
        )
    if not collected.kept:
        raise FeeFileError(collected.file, f"none of the codes {', '.join(CCM_CODES)} is payable")
    listed: defaultdict[str, set[str]] = defaultdict(set)
    for locality, code in collected.lines:
        listed[code].add(locality)
    for code, localities in sorted(listed.items()):
        lacking = sorted(collected.localities - localities)
        if lacking:
            raise FeeFileError(
                collected.file,
                f"{code} is missing in {len(lacking)} of {len(collected.localities)} localities "
                f"({', '.join(lacking[:3])}): rows were lost",
            )


def _amounts(collected: _Collected, period: Period, qp: bool | None) -> tuple[LocalityAmount, ...]:
    return tuple(
        LocalityAmount(locality, code, *period, nonfacility, facility, qp)
        for (locality, code), (nonfacility, facility) in sorted(collected.kept.items())
    )


def _missing(collected: _Collected) -> tuple[str, ...]:
    found = {code for _, code in collected.kept}
    return tuple(code for code in CCM_CODES if code not in found)
