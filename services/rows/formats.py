"""How a mapping says that a table writes days, instants and durations.

A form is a pattern of strptime such as `%m/%d/%Y`, or one of these words:

| word | is |
|---|---|
| `iso` | `2025-03-05`; `2025-03-05 14:30`, with seconds or offset where there are any |
| `excel` | Excel's day number, counted from 1900, with the time of day as its fraction |
| `epoch-days` | days since 1970 |
| `epoch-s`, `epoch-ms`, `epoch-us`, `epoch-ns` | an instant since 1970 in UTC |
| `wall-ms`, `wall-us`, `wall-ns` | a clock on the wall, written as if its zone were UTC |
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

ISO: Final = "iso"
EXCEL: Final = "excel"
EPOCH_DAYS: Final = "epoch-days"
_UNITS: Final = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
EPOCHS: Final = {f"epoch-{unit}": parts for unit, parts in _UNITS.items()}
WALLS: Final = {f"wall-{unit}": _UNITS[unit] for unit in ("ms", "us", "ns")}

DAY_FORMS: Final = frozenset({ISO, EXCEL, EPOCH_DAYS})
INSTANT_FORMS: Final = frozenset({ISO, EXCEL, *EPOCHS, *WALLS})

_EXCEL_DAY_0: Final = datetime(1899, 12, 30)
"""Day 60 of Excel never was (it takes 1900 for a leap year), so that 61 is the first to trust."""
EXCEL_DAYS: Final = (61, 73_050)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PROBE: Final = datetime(2025, 11, 24, 21, 46, 38)
_ISO_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,20}", re.ASCII)


def is_day_form(form: str) -> bool:
    """Whether a form says year, month and day."""
    return form in DAY_FORMS or _survives(form, _PROBE.date())


def is_month_form(form: str) -> bool:
    """Whether a form says year and month."""
    return is_day_form(form) or _survives(form, _PROBE.date().replace(day=1))


def is_instant_form(form: str) -> bool:
    """Whether a form says year, month, day, hour of 24, and minute."""
    return form in INSTANT_FORMS or _survives(form, _PROBE)


def _survives(form: str, wanted: date) -> bool:
    """Whether a moment can be read again from what a pattern writes."""
    try:
        found = datetime.strptime(_PROBE.replace(tzinfo=UTC).strftime(form), form)
    except ValueError:
        return False
    if not isinstance(wanted, datetime):
        return found.date() == wanted
    return found.replace(second=0, tzinfo=None) == wanted.replace(second=0)


def shown(form: str) -> str:
    """A form by an example."""
    if form == ISO:
        return _PROBE.date().isoformat()
    if form in INSTANT_FORMS | DAY_FORMS:
        return f"a number ({form})"
    return _PROBE.replace(tzinfo=UTC).strftime(form)


@lru_cache(maxsize=65_536)
def day(text: str, form: str) -> date:
    """The day. Raises ValueError."""
    if form == ISO:
        if not _ISO_DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    if form == EXCEL:
        return _excel(text).date()
    if form == EPOCH_DAYS:
        return (_EPOCH + timedelta(days=_whole(text))).date()
    return datetime.strptime(text, form).date()


@lru_cache(maxsize=65_536)
def moment(text: str, form: str) -> datetime:
    """The moment, without a zone where the text says none. Raises ValueError."""
    if form == ISO:
        return datetime.fromisoformat(text)
    if form == EXCEL:
        return _excel(text)
    if form in EPOCHS:
        return _EPOCH + timedelta(microseconds=_whole(text) * 1_000_000 // EPOCHS[form])
    if form in WALLS:
        return _wall(_whole(text), WALLS[form])
    return datetime.strptime(text, form)


def _wall(number: int, parts: int) -> datetime:
    found = _EPOCH + timedelta(microseconds=number * 1_000_000 // parts)
    return found.replace(tzinfo=None)


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise ValueError(text)
    number = int(text)
    if abs(number) > 10**19:
        raise ValueError(text)
    return number


def _excel(text: str) -> datetime:
    """Excel's day number, to the second: its fractions are not exact."""
    days = is_excel_day(text)
    if days is None:
        raise ValueError(text)
    return _EXCEL_DAY_0 + timedelta(seconds=round(days * 86_400))


def is_excel_day(text: str) -> Decimal | None:
    """The number, if a text is one that Excel would show as a day of this or the last century."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() and EXCEL_DAYS[0] <= found <= EXCEL_DAYS[1] else None
