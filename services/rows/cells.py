"""Reading one cell without trust. Whatever is wrong is a `Review` that names the column.

Spreadsheet programs change what people typed: days become numbers, long numbers lose their digits,
formulas stand where values should. Each of these is told by its name and never undone by guessing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from zoneinfo import ZoneInfo

from domain.rejections import Reason
from services.rows import formats
from services.rows.mapping import Duration, Sheet
from services.translate.outcome import Review
from services.wire.refusal import quoted

Cells = Mapping[str, Any]

_TEXT_FORMULA: Final = re.compile(r'="([^"]*)"')
_SCIENTIFIC: Final = re.compile(r"\d(?:[.,]\d+)?E\+\d+", re.ASCII)
_ERRORS: Final = frozenset(
    {"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"}
)
_CLOCK: Final = {
    "h:mm": (re.compile(r"(\d{1,3}):(\d{2})", re.ASCII), (3600, 60)),
    "h:mm:ss": (re.compile(r"(\d{1,3}):(\d{2}):(\d{2})", re.ASCII), (3600, 60, 1)),
    "m:ss": (re.compile(r"(\d{1,4}):(\d{2})", re.ASCII), (60, 1)),
}
_WORDS: Final = re.compile(
    r"(?:(\d{1,3}) ?h(?:ours?|rs?)?)? ?(?:(\d{1,4}) ?m(?:in(?:ute)?s?)?)? ?"
    r"(?:(\d{1,5}) ?s(?:ec(?:ond)?s?)?)?",
    re.ASCII | re.IGNORECASE,
)
_UNITS: Final = {"seconds": 1, "minutes": 60, "hours": 3600}


def cell(cells: Cells, column: str) -> str:
    """The text of a cell without blanks around it; '' for an empty one. Raises `Review`."""
    if column not in cells:
        raise Review(Reason.MISSING_MEMBER, column, "expected a cell in this column; found none")
    value = cells[column]
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _checked(value.strip().replace("\xa0", " ").strip(), column)
    if isinstance(value, int | float):
        return str(value)
    raise invalid(column, "a text or a number", "a list or an object")


def _checked(text: str, column: str) -> str:
    if (literal := _TEXT_FORMULA.fullmatch(text)) is not None:
        return literal[1].strip()
    if text.startswith("="):
        raise invalid(column, "a value", "a formula; save the sheet with values in its place")
    if text.upper() in _ERRORS:
        raise invalid(column, "a value", f"{text}, a formula that failed")
    if len(text) > 3 and not text.strip("#"):
        raise invalid(column, "a value", "a column too narrow for it when the sheet was saved")
    if "\ufffd" in text:
        raise invalid(column, "text in the encoding that the mapping names", "other bytes")
    return text


def filled(cells: Cells, column: str) -> str:
    """The text of a cell that must not be empty. Raises `Review`."""
    found = cell(cells, column)
    if not found:
        raise Review(Reason.MISSING_MEMBER, column, "expected a value; the cell is empty")
    return found


def exact(text: str, column: str) -> str:
    """A text that names something, if a spreadsheet program has not cut its digits off."""
    if _SCIENTIFIC.fullmatch(text):
        found = f"{quoted(text)}, which has lost its digits; format the column as text"
        raise invalid(column, "a name or number in full", found)
    return text


def invalid(column: str, expected: str, found: str) -> Review:
    """What to raise for a cell that cannot be read."""
    return Review(Reason.INVALID_MEMBER, column, f"expected {expected}; found {found}")


def day(text: str, column: str, forms: Sequence[str]) -> date:
    """A day in the first of these forms that fits. Raises `Review`."""
    for form in forms:
        try:
            return formats.day(text, form)
        except (ValueError, OverflowError):
            continue
    raise _unfit(text, column, forms)


def instant(text: str, column: str, forms: Sequence[str], zone: str) -> datetime:
    """An instant; a clock without an offset is one of this zone. Raises `Review`, also for an
    hour that the zone has twice on that day, or not at all."""
    for form in forms:
        try:
            found = formats.moment(text, form)
        except (ValueError, OverflowError):
            continue
        if not 1900 < found.year < 2200:
            break
        return found if found.tzinfo is not None else _in_zone(found, text, column, zone)
    raise _unfit(text, column, forms)


def _in_zone(wall: datetime, text: str, column: str, zone: str) -> datetime:
    early = wall.replace(tzinfo=ZoneInfo(zone), fold=0)
    late = early.replace(fold=1)
    if early.utcoffset() == late.utcoffset():
        return early
    if early.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall:
        raise invalid(column, f"a time that {zone} has", f"{quoted(text)}, which was left out")
    sentence = f"{quoted(text)} was there twice on that day in {zone}; expected an offset with it"
    raise Review(Reason.AMBIGUOUS, column, sentence)


def _unfit(text: str, column: str, forms: Sequence[str]) -> Review:
    found = quoted(text)
    if formats.EXCEL not in forms and formats.is_excel_day(text) is not None:
        found += ", which may be Excel's number of a day: format the column as dates, or map it so"
    return invalid(column, " or ".join(dict.fromkeys(map(formats.shown, forms))), found)


def seconds(text: str, column: str, unit: Duration, sheet: Sheet) -> int:
    """A length of time in whole seconds. Raises `Review`; nothing is rounded."""
    if unit in _CLOCK:
        pattern, parts = _CLOCK[unit]
        matched = pattern.fullmatch(text)
        if matched is None or any(int(each) > 59 for each in matched.groups()[1:]):
            raise invalid(column, f"a length of time as {unit}", quoted(text))
        return _sum(matched, parts)
    if unit == "1h 20m":
        matched = _WORDS.fullmatch(text)
        if matched is None or not text:
            raise invalid(column, "a length of time such as 1h 20m or 15 min", quoted(text))
        return sum(
            int(n or 0) * part for n, part in zip(matched.groups(), (3600, 60, 1), strict=True)
        )
    found = number(text, column, unit, sheet) * _UNITS[unit]
    if found != found.to_integral_value():
        raise invalid(column, f"{unit} that come to whole seconds", quoted(text))
    return int(found)


def _sum(matched: re.Match[str], parts: Sequence[int]) -> int:
    return sum(int(n or 0) * part for n, part in zip(matched.groups(), parts, strict=True))


def number(text: str, column: str, what: str, sheet: Sheet) -> Decimal:
    """A number as the sheet writes it. Raises `Review`."""
    plain = text
    if sheet.thousands:
        plain = _without_groups(text, sheet)
    if sheet.decimal == ",":
        plain = plain.replace(".", "?").replace(",", ".")
    try:
        found = Decimal(plain)
        if re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,12})?", plain):
            return found
    except InvalidOperation:
        pass
    hint = ""
    if re.fullmatch(r"\d[\d.,' ]*", text, re.ASCII):
        hint = "; the mapping says under sheet which sign is decimal, and which parts thousands"
    raise invalid(column, f"a number of {what}", f"{quoted(text)}{hint}")


def _without_groups(text: str, sheet: Sheet) -> str:
    """Only groups of three digits are groups: anything else stays, and is refused."""
    whole, sign, rest = text.partition(sheet.decimal)
    first, *groups = whole.split(sheet.thousands)
    if not 1 <= len(first) <= 3 or any(len(each) != 3 for each in groups):
        return text if groups else whole + sign + rest
    return "".join((first, *groups)) + sign + rest
