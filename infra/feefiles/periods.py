"""Which year, which kind of practitioner and which days a file's figures are for."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from domain.fees.factors import FACTORS
from domain.fees.figures import ConversionFactor
from domain.fees.schedule import FIRST_QP_YEAR
from infra.feefiles.model import FeeFileError, ReadOptions

Period = tuple[date, date]

_NAMED_YEAR = re.compile(
    r"(?:PPRRVU|GPCI|PFALL|PFREV|(?<![A-Z])PF|(?<!PPR)RVU)(20\d\d|\d\d)(?!\d)", re.IGNORECASE
)
_EARLIEST, _LATEST = 2010, 2099


def year_of(file: str, said: set[int], options: ReadOptions) -> int:
    """The one year that content, else file name, else option gives; refuses a contradiction."""
    known = said or _named_years(file)
    if options.year is not None:
        if said and options.year not in said:
            raise FeeFileError(
                file, f"is for {_listed(said)}, but --year says {options.year}: give the right one"
            )
        known = {options.year}
    if len(known) != 1:
        found = f"it names {_listed(known)}" if known else "it does not name one"
        raise FeeFileError(file, f"cannot tell the year, {found}: give it with --year")
    year = next(iter(known))
    if not _EARLIEST <= year <= _LATEST:
        raise FeeFileError(file, f"the year {year} is outside {_EARLIEST}-{_LATEST}")
    return year


def qp_of(file: str, year: int, marked: bool | None, options: ReadOptions) -> bool | None:
    """Whose figures: None before 2026; else by the file's mark, its name, or the option."""
    if year < FIRST_QP_YEAR:
        return None
    named = _named_qp(file)
    sayings = {saying for saying in (marked, named, options.qp) if saying is not None}
    if len(sayings) > 1:
        raise FeeFileError(
            file,
            "contradiction: the file's own mark, its name and the option --qp disagree on "
            "whether the figures are for qualifying APM participants (QPP) or not (nonQPP)",
        )
    if not sayings:
        raise FeeFileError(
            file,
            f"from {FIRST_QP_YEAR} on there are two kinds of figures: say with --qp or --no-qp "
            "whether these are for qualifying APM participants",
        )
    return sayings.pop()


def given_period(file: str, year: int, options: ReadOptions) -> Period | None:
    """The period the options set, checked; None when they set none."""
    first, last = options.first_day, options.last_day
    if first is None and last is None:
        return None
    first, last = first or date(year, 1, 1), last or date(year, 12, 31)
    if first > last or {first.year, last.year} != {year}:
        raise FeeFileError(
            file, f"the period {first} to {last} is not a span of days inside {year}"
        )
    return first, last


def whole_year(year: int) -> Period:
    return date(year, 1, 1), date(year, 12, 31)


def built_in_factors(year: int, qp: bool | None) -> list[ConversionFactor]:
    """Conversion factors known for that year and kind, by date."""
    return [f for f in FACTORS if f.first_day.year == year and (qp is None or f.qp in (None, qp))]


def factor_period(
    file: str, year: int, qp: bool | None, value: Decimal, options: ReadOptions
) -> Period:
    """The days on which the file's conversion factor holds.

    In a year with two factors (2015, 2024) the value itself tells which half the file is for.
    """
    given = given_period(file, year, options)
    if given is not None:
        return given
    known = built_in_factors(year, qp)
    for factor in known:
        if factor.value == value:
            return factor.first_day, factor.last_day
    if len(known) > 1:
        raise _ask_for_days(file, year, known)
    return whole_year(year)


def amounts_period(file: str, year: int, qp: bool | None, options: ReadOptions) -> Period:
    """The days on which priced amounts hold; asks in a year whose factor changed midway."""
    given = given_period(file, year, options)
    if given is not None:
        return given
    known = built_in_factors(year, qp)
    if len(known) > 1:
        raise _ask_for_days(file, year, known)
    return whole_year(year)


def _ask_for_days(file: str, year: int, known: list[ConversionFactor]) -> FeeFileError:
    spans = ", ".join(f"{f.first_day} to {f.last_day} ({f.value})" for f in known)
    return FeeFileError(
        file,
        f"the conversion factor of {year} changed in the year ({spans}): say which days the "
        "file is for (--from and --through)",
    )


def _named_years(file: str) -> set[int]:
    # The innermost name speaks first: a member of an archive, then the archive.
    for name in reversed(file.split(":")):
        found = {int(text) for text in _NAMED_YEAR.findall(name)}
        if found:
            return {year if year > 99 else 2000 + year for year in found}
    return set()


def _named_qp(file: str) -> bool | None:
    for name in reversed(file.upper().split(":")):
        if re.search(r"NON[-_ ]?QPP?", name):
            return False
        if re.search(r"(?<![A-Z])QPP?(?![A-Z])", name):
            return True
    return None


def _listed(years: set[int]) -> str:
    return " and ".join(str(year) for year in sorted(years))
