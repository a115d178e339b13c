"""What a request may ask for: each parameter with its form, and the words for what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Final

from fastapi import Path, Query
from fastapi.routing import APIRoute
from pydantic import PlainValidator, WithJsonSchema
from pydantic_core import PydanticCustomError
from starlette.requests import Request

from domain.alerts import AlertType
from domain.assess.assessment import Status
from domain.rejections import Reason
from domain.rules.codes import Family
from services.api.addresses import restored
from services.api.faults import Refused
from services.audit.claims import Kind
from services.wire import instants, scalars
from services.wire.limits import IDENTIFIER_CHARS_MAX

PAGE: Final = 100
PAGE_MAX: Final = 1_000
CURSOR_CHARS_MAX: Final = 2_048
ID_DIGITS_MAX: Final = 15

_PRINTABLE: Final = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")
_CODE: Final = re.compile(r"[0-9A-Z]{5}", re.ASCII)
_MONTH: Final = r"^20[1-9][0-9]-(0[1-9]|1[0-2])$"
_DAY_OF_YEAR: Final = (
    "(((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]))|((0[13-9]|1[0-2])-(29|30))|((0[13578]|1[02])-31))"
)
_INSTANT: Final = (
    rf"^20[1-9][0-9]-{_DAY_OF_YEAR}T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{{1,6}})?"
    r"(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
)
"""For generators of requests; the 29th of February is taken as well."""

Metadata = tuple[PlainValidator, WithJsonSchema]


async def only_known(request: Request) -> None:
    """Refuses parameters that the route does not have, and those given twice: a filter that is
    misspelt would filter nothing, and say nothing."""
    route: APIRoute = request.scope["route"]
    known = [field.alias for field in route.dependant.query_params]
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            raise Refused(
                name[:40], f"one of {', '.join(known) or 'no parameters'}", "another name"
            )
        if given.count(name) > 1:
            raise Refused(name, "one value", "several")


def form(parse: Callable[[str], Any], expected: str, schema: dict[str, Any]) -> Metadata:
    """How a text becomes a value, and how the document describes it; ValueError refuses it."""

    def validate(value: Any) -> Any:
        try:
            return parse(value)
        except ValueError:
            raise PydanticCustomError("unfit", "{expected}", {"expected": expected}) from None

    return PlainValidator(validate), WithJsonSchema(schema | {"description": _sentence(expected)})


def one_of(values: Iterable[str]) -> Metadata:
    """One of these words."""
    known = list(values)

    def parse(text: str) -> str:
        if text not in known:
            raise ValueError(text)
        return text

    return form(parse, f"one of {', '.join(known)}", {"type": "string", "enum": known})


def matching(pattern: re.Pattern[str], expected: str, chars_max: int) -> Metadata:
    """Text of this form."""

    def parse(text: str) -> str:
        if len(text) > chars_max or not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    described = {"minLength": 1, "maxLength": chars_max, "pattern": f"^{pattern.pattern}$"}
    return form(parse, expected, {"type": "string", **described})


def _sentence(expected: str) -> str:
    return f"{expected[0].upper()}{expected[1:]}."


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) <= PAGE_MAX:
        raise ValueError(text)
    return int(text)


def _id(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > ID_DIGITS_MAX or int(text) < 1:
        raise ValueError(text)
    return int(text)


def _in_path(text: str) -> str:
    found = restored(text)
    if len(found) > IDENTIFIER_CHARS_MAX or not _PRINTABLE.fullmatch(found):
        raise ValueError(text)
    return found


def _mark(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(text)
    return text == "true"


_ID = matching(_PRINTABLE, scalars.IDENTIFIER, IDENTIFIER_CHARS_MAX)
_ID_SCHEMA = {
    "type": "string",
    "minLength": 1,
    "maxLength": IDENTIFIER_CHARS_MAX,
    "pattern": f"^{_PRINTABLE.pattern}$",
}
_IN_PATH = form(_in_path, scalars.IDENTIFIER, _ID_SCHEMA)
_MONTHS = form(instants.month, scalars.MONTH, {"type": "string", "pattern": _MONTH})
_INSTANTS = form(
    instants.instant_us,
    scalars.INSTANT,
    {"type": "string", "format": "date-time", "pattern": _INSTANT},
)

InPath = Annotated[str, Path(), *_IN_PATH]
MonthInPath = Annotated[str, Path(), *_MONTHS]

IdInPath = Annotated[
    int,
    Path(),
    *form(
        _id,
        "a number from 1 on",
        {"type": "integer", "minimum": 1, "maximum": 10**ID_DIGITS_MAX - 1},
    ),
]

Practice = Annotated[str | None, Query(), *_ID]
Patient = Annotated[str | None, Query(), *_ID]
Month = Annotated[str | None, Query(), *_MONTHS]
StatusWord = Annotated[str | None, Query(), *one_of(Status)]
Code = Annotated[str | None, Query(), *matching(_CODE, "a code of 5 capital letters or digits", 5)]
FamilyWord = Annotated[str | None, Query(), *one_of(Family)]
Word = Annotated[str | None, Query(), *matching(re.compile("[a-z0-9-]+"), "a word", 60)]
ReasonWord = Annotated[str | None, Query(), *one_of(Reason)]
Origin = Annotated[
    str | None,
    Query(),
    *matching(_PRINTABLE, "the beginning of an origin such as file:march.jsonl", 200),
]
AlertWord = Annotated[str | None, Query(), *one_of(AlertType)]
StateWord = Annotated[str | None, Query(), *one_of(("raised", "resolved"))]
Instant = Annotated[int | None, Query(), *_INSTANTS]
InstantNeeded = Annotated[int, Query(), *_INSTANTS]
From = Annotated[int, Query(alias="from"), *_INSTANTS]
MaybeFrom = Annotated[int | None, Query(alias="from"), *_INSTANTS]
By = Annotated[str | None, Query(), *_ID]
ClaimKind = Annotated[str | None, Query(), *one_of(Kind)]
Mark = Annotated[bool, Query(), *form(_mark, "true or false", {"type": "boolean"})]
MaybeMark = Annotated[bool | None, Query(), *form(_mark, "true or false", {"type": "boolean"})]
Limit = Annotated[
    int,
    Query(),
    *form(
        _number,
        f"a whole number from 1 to {PAGE_MAX}",
        {"type": "integer", "minimum": 1, "maximum": PAGE_MAX},
    ),
]
Cursor = Annotated[
    str | None,
    Query(),
    *matching(
        re.compile(r"[A-Za-z0-9_-]+"),
        "a cursor that a page gave as its next",
        CURSOR_CHARS_MAX,
    ),
]
