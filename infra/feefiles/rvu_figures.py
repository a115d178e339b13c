"""From rows of a relative value file to figures: sums, factor and codes checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.fees.figures import CCM_CODES, ConversionFactor, FigureSet, Rvu
from infra.feefiles.model import FeeFile, FeeFileError, ReadOptions, number
from infra.feefiles.periods import (
    built_in_factors,
    factor_period,
    given_period,
    qp_of,
    whole_year,
    year_of,
)
from infra.feefiles.pprrvu import Record, Table

_SOLD: dict[str, tuple[int, int]] = {
    "99490": (2015, 2099),
    "99439": (2021, 2099),
    "G2058": (2020, 2020),
    "99491": (2019, 2099),
    "99437": (2022, 2099),
    "99487": (2017, 2099),
    "99489": (2017, 2099),
    "G0506": (2017, 2099),
    "G0511": (2018, 2025),
}
"""First and last year in which each code is in the fee schedule."""
_PAYABLE = frozenset("ART")
_PAID_BESIDE_THE_SCHEDULE = frozenset({"G0511"})  # status X, paid to RHCs and FQHCs
_QP_OF_MARK = {"1": True, "9": False}
_ODD_SHARE_MAX = 100
"""One row in so many may have totals that are not the sum of its parts (codes not kept)."""
_FACTOR_MIN, _FACTOR_MAX = Decimal(20), Decimal(60)


@dataclass(slots=True)
class _Collected:
    file: str
    rows: int = 0
    odd: int = 0
    factor: Decimal | None = None
    factor_line: int = 0
    marks: set[str] = field(default_factory=set)
    kept: dict[str, tuple[Decimal, ...]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    unpaid: list[str] = field(default_factory=list)


def rvu_file(name: str, table: Table, options: ReadOptions) -> FeeFile:
    """The checked figures of one relative value file. Raises `FeeFileError`."""
    collected = _Collected(name)
    for record in table.records:
        _take(collected, record)
    _check_whole(collected, options)
    year = year_of(name, table.years, options)
    qp = qp_of(name, year, _marked(collected), options)
    assert collected.factor is not None
    period = given_period(name, year, options) or whole_year(year)
    factor_days = factor_period(name, year, qp, collected.factor, options)
    figures = FigureSet(
        rvus=tuple(_rvu(code, period, parts, qp) for code, parts in sorted(collected.kept.items())),
        factors=(ConversionFactor(*factor_days, collected.factor, qp),),
    )
    missing = tuple(
        code
        for code in CCM_CODES
        if code not in collected.kept and _SOLD[code][0] <= year <= _SOLD[code][1]
    )
    notes = _notes(collected, year, qp, factor_days)
    return FeeFile(name, "rvu", year, qp, *period, figures, collected.rows, missing, notes)


def _take(collected: _Collected, record: Record) -> None:
    collected.rows += 1
    parts = [
        number(text, collected.file, record.line, column)
        for text, column in zip(record.numbers, record.columns, strict=True)
    ]
    _take_factor(collected, record, parts[6])
    if record.pricing:
        collected.marks.add(record.pricing)
    whole = [part if part is not None else Decimal(0) for part in parts]
    work, nonfacility, facility, mp, total_nonfacility, total_facility, _ = whole
    sums = (work + nonfacility + mp, work + facility + mp)
    wanted = record.code in CCM_CODES and not record.modifier
    if sums != (total_nonfacility, total_facility):
        if wanted:
            raise _wrong_total(collected.file, record, sums, whole)
        collected.odd += 1
    if wanted:
        _keep(collected, record, parts, whole)


def _take_factor(collected: _Collected, record: Record, factor: Decimal | None) -> None:
    if not factor:
        return
    if collected.factor is None:
        collected.factor, collected.factor_line = factor, record.line
        if not _FACTOR_MIN < factor < _FACTOR_MAX:
            raise FeeFileError(
                collected.file,
                f"{factor} dollars is no conversion factor of a physician fee schedule",
                line=record.line,
                column=record.columns[6],
            )
    elif factor != collected.factor:
        raise FeeFileError(
            collected.file,
            f"found {factor}, but line {collected.factor_line} has {collected.factor}: "
            "one file has one conversion factor",
            line=record.line,
            column=record.columns[6],
        )


def _wrong_total(
    file: str, record: Record, sums: tuple[Decimal, Decimal], whole: list[Decimal]
) -> FeeFileError:
    at = 4 if sums[0] != whole[4] else 5
    return FeeFileError(
        file,
        f"{record.code}: found {whole[at]}, but the parts add up to {sums[at - 4]}",
        line=record.line,
        column=record.columns[at],
    )


def _keep(
    collected: _Collected, record: Record, parts: list[Decimal | None], whole: list[Decimal]
) -> None:
    if record.code in collected.lines:
        raise FeeFileError(
            collected.file,
            f"{record.code} stands here a second time, first in line "
            f"{collected.lines[record.code]}",
            line=record.line,
        )
    collected.lines[record.code] = record.line
    payable = record.status in _PAYABLE or record.code in _PAID_BESIDE_THE_SCHEDULE
    if not payable or not whole[4]:
        collected.unpaid.append(f"{record.code} (status {record.status or 'blank'})")
        return
    for part, column in zip(parts[:4], record.columns, strict=False):
        if part is None:
            raise FeeFileError(
                collected.file,
                f"{record.code}: expected a number, found nothing",
                line=record.line,
                column=column,
            )
    collected.kept[record.code] = tuple(whole[:4])


def _check_whole(collected: _Collected, options: ReadOptions) -> None:
    if collected.rows < options.least.rvu_rows:
        raise FeeFileError(
            collected.file,
            f"{collected.rows} rows, an official file has at least {options.least.rvu_rows}: "
            "it was cut off",
        )
    if collected.odd * _ODD_SHARE_MAX > collected.rows:
        raise FeeFileError(
            collected.file,
            f"in {collected.odd} of {collected.rows} rows the totals are not the sum of the "
            "parts: the columns are not where they should be",
        )
    if not collected.kept:
        raise FeeFileError(collected.file, f"none of the codes {', '.join(CCM_CODES)} is payable")
    if collected.factor is None:
        raise FeeFileError(collected.file, "no row has a conversion factor")


def _marked(collected: _Collected) -> bool | None:
    """What the pricing indicator (2026 on) says; None when there is none or it is mixed."""
    marks = {_QP_OF_MARK.get(mark) for mark in collected.marks}
    return marks.pop() if len(marks) == 1 else None


def _rvu(code: str, period: tuple[date, date], parts: tuple[Decimal, ...], qp: bool | None) -> Rvu:
    work, nonfacility, facility, mp = parts
    return Rvu(code, *period, work, nonfacility, facility, mp, qp)


def _notes(
    collected: _Collected, year: int, qp: bool | None, factor_days: tuple[date, date]
) -> tuple[str, ...]:
    notes = [f"conversion factor {collected.factor} from {factor_days[0]} to {factor_days[1]}"]
    known = {factor.value for factor in built_in_factors(year, qp)}
    if known and collected.factor not in known:
        listed = ", ".join(str(value) for value in sorted(known))
        notes.append(f"the conversion factor differs from the built-in one ({listed})")
    if collected.unpaid:
        notes.append(f"not payable in this file: {', '.join(collected.unpaid)}")
    if collected.odd:
        notes.append(f"{collected.odd} rows of other codes have totals that are not their sum")
    return tuple(notes)
