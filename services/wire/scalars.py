"""The wire's scalar types: each checks its own form and says in words what it expects.

The words are the type's `description`; rejections, and the published schema, quote them.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

from pydantic import Field, PlainValidator, Strict, StringConstraints
from pydantic_core import PydanticCustomError

from domain.rejections import Reason
from services.wire import instants, limits

DAY: Final = "a date YYYY-MM-DD from 2010-01-01 to 2099-12-31"
MONTH: Final = "a month YYYY-MM from 2010-01 to 2099-12"
INSTANT: Final = "an RFC 3339 instant with offset from 2010-01-01 to 2099-12-31"
NPI: Final = "a national provider identifier: 10 digits with a valid check digit"
IDENTIFIER: Final = (
    f"a string of 1 to {limits.IDENTIFIER_CHARS_MAX} characters without control characters"
)
UNITS: Final = f"a whole number of units from 1 to {limits.UNITS_MAX}"
ZONE: Final = "an IANA time zone such as America/New_York"
MARK: Final = "true or false"
SECONDS: Final = f"a whole number of seconds from 1 to {limits.ENTRY_SECONDS_MAX}"

_MACHINE_ZONES: Final = {"localtime", "Factory", "posixrules"}
TIME_ZONES: Final = frozenset(zoneinfo.available_timezones() - _MACHINE_ZONES)
"""What a time zone may be called. Names that mean another zone on every machine are left out."""


def parsed(parse: Callable[[str], Any], expected: str) -> PlainValidator:
    """A validator that takes a string only, and turns the parser's errors into our reasons."""

    def validate(value: Any) -> Any:
        if type(value) is not str or len(value) > limits.INSTANT_CHARS_MAX:
            raise _unfit(Reason.INVALID_MEMBER, expected)
        try:
            return parse(value)
        except instants.OutOfRange:
            raise _unfit(Reason.DATE_OUT_OF_RANGE, expected) from None
        except LookupError:
            raise _unfit(Reason.UNKNOWN_TIMEZONE, expected) from None
        except ValueError:
            raise _unfit(Reason.INVALID_MEMBER, expected) from None

    return PlainValidator(validate, json_schema_input_type=str)


def _unfit(reason: Reason, expected: str) -> PydanticCustomError:
    return PydanticCustomError(reason.value, "{expected}", {"expected": expected})


@lru_cache(maxsize=65_536)
def npi(text: str) -> str:
    """The NPI itself. Raises `ValueError` unless it has ten digits and its Luhn sum is right."""
    if len(text) != 10 or not (text.isascii() and text.isdigit()):
        raise ValueError(text)
    digits = [int(character) for character in f"80840{text}"]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    if (sum(digits[-1::-2]) + sum(doubled)) % 10:
        raise ValueError(text)
    return text


def zone(text: str) -> str:
    """The zone's name. Raises `LookupError` when the time zone database does not know it."""
    if text not in TIME_ZONES:
        raise LookupError(text)
    return text


def mark(value: Any) -> bool:
    """A boolean, or the text that CloudEvents has for it."""
    known = {"true": True, "false": False}.get(value) if type(value) is str else value
    if type(known) is not bool:
        raise _unfit(Reason.INVALID_MEMBER, MARK)
    return known


_PRINTABLE: Final = r"^[^\x00-\x1f\x7f-\x9f]+$"
_NO_NUL: Final = r"^[^\x00]+$"


def _string(chars_max: int, pattern: str) -> StringConstraints:
    return StringConstraints(strict=True, min_length=1, max_length=chars_max, pattern=pattern)


Day = Annotated[date, parsed(instants.day, DAY), Field(description=DAY)]
Month = Annotated[str, parsed(instants.month, MONTH), Field(description=MONTH)]
Instant = Annotated[int, parsed(instants.instant, INSTANT), Field(description=INSTANT)]
InstantMicros = Annotated[int, parsed(instants.instant_us, INSTANT), Field(description=INSTANT)]
Npi = Annotated[str, parsed(npi, NPI), Field(description=NPI)]
Zone = Annotated[str, parsed(zone, ZONE), Field(description=ZONE)]

Identifier = Annotated[
    str,
    _string(limits.IDENTIFIER_CHARS_MAX, _PRINTABLE),
    Field(description=IDENTIFIER),
]
Source = Annotated[
    str,
    _string(limits.SOURCE_CHARS_MAX, _PRINTABLE),
    Field(description=f"a URI reference of 1 to {limits.SOURCE_CHARS_MAX} characters"),
]
Text = Annotated[
    str,
    _string(limits.TEXT_CHARS_MAX, _NO_NUL),
    Field(description=f"a text of 1 to {limits.TEXT_CHARS_MAX} characters"),
]
Hcpcs = Annotated[
    str,
    _string(5, r"^[0-9A-Z]{5}$"),
    Field(description="an HCPCS code of 5 capital letters or digits"),
]
Icd10 = Annotated[
    str,
    _string(8, r"^[A-Z][0-9][0-9A-Z](\.?[0-9A-Z]{1,4})?$"),
    Field(description="an ICD-10-CM code such as E11.9"),
]
Locality = Annotated[
    str,
    _string(8, r"^[0-9]{5}-[0-9]{2}$"),
    Field(description="a MAC and locality such as 13202-01"),
]
JsonMediaType = Annotated[
    str,
    _string(
        limits.IDENTIFIER_CHARS_MAX, r"^\s*[A-Za-z0-9.-]+/([^;]+\+)?[jJ][sS][oO][nN]\s*(;.*)?$"
    ),
    Field(description="a JSON media type"),
]
Seconds = Annotated[int, Strict(), Field(ge=1, description=SECONDS)]
Units = Annotated[
    int,
    Strict(),
    Field(ge=1, le=limits.UNITS_MAX, description=UNITS),
]
Flag = Annotated[bool, Strict(), Field(description=MARK)]

Mark = Annotated[
    bool,
    PlainValidator(mark, json_schema_input_type=bool),
    Field(description=MARK),
]
"""A boolean attribute: JSON's own, or its text where attributes are headers."""

SpecVersion = Annotated[Literal["1.0"], Field(description="'1.0'")]
