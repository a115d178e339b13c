"""Requests that cannot be answered, as problem+json that names the field and what was expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.problems import problem
from services.wire.refusal import token

RETRY_SECONDS: Final = 5
REFUSED: Final = "The request was refused"
_TITLES: Final = {
    400: REFUSED,
    404: "There is no such thing here",
    405: "The method is not for this address",
    409: "It is not in a state for that",
    503: "It cannot be answered now; ask again",
}


class Fault(Exception):
    """Ends a request with a problem: the status and a sentence for people."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status, self.detail, self.members = status, detail, members

    def response(self) -> Response:
        headers = {"retry-after": str(RETRY_SECONDS)} if self.status == 503 else {}
        title = _TITLES.get(self.status, "")
        return problem(self.status, self.detail, title, headers, **self.members)


class Absent(Fault):
    """Nothing is there, or nothing that this principal may see: the two look the same."""

    def __init__(self, what: str) -> None:
        super().__init__(404, f"there is no {what} for you here.")


class Refused(Fault):
    """One field is not as expected."""

    def __init__(self, field: str, expected: str, found: str) -> None:
        one = {"field": field, "expected": expected, "found": found}
        super().__init__(400, sentence(one), errors=[one])


class NoSuchPage(Fault):
    """A cursor that leads nowhere: changed, or of a page with other filters."""

    def __init__(self) -> None:
        expected = "a cursor that a page with these filters gave as its next"
        one = {"field": "cursor", "expected": expected, "found": "another"}
        super().__init__(404, sentence(one), errors=[one])


def sentence(error: Mapping[str, str]) -> str:
    return f"{error['field']}: expected {error['expected']}; found {error['found']}."


async def on_fault(_: Request, fault: Exception) -> Response:
    assert isinstance(fault, Fault)
    return fault.response()


async def on_invalid(_: Request, error: Exception) -> Response:
    """Every field that does not validate is listed; the detail is about the first."""
    assert isinstance(error, RequestValidationError)
    errors = [_told(one) for one in error.errors()]
    return Fault(400, sentence(errors[0]), errors=errors).response()


async def on_http(_: Request, error: Exception) -> Response:
    """What the router says: no such address, another method."""
    assert isinstance(error, HTTPException)
    headers = {k.lower(): v for k, v in (error.headers or {}).items()}
    title = _TITLES.get(error.status_code, REFUSED)
    return problem(error.status_code, _detail(error.status_code, headers), title, headers)


async def on_error(_: Request, __: Exception) -> Response:
    """What went wrong is in the log, in our own words; here it might quote a row."""
    return problem(500, "it is not your request; the log says more.", "Something went wrong")


def _detail(status: int, headers: Mapping[str, str]) -> str:
    if status == 404:
        return "no such address; see /api/v1/openapi.json."
    if status == 405:
        return f"expected one of {headers.get('allow', 'other methods')}."
    return "the request cannot be read."


def _told(error: Mapping[str, Any]) -> dict[str, str]:
    where: Sequence[Any] = error["loc"]
    field = ".".join(map(str, where[1:])) or str(where[0])
    if error["type"] == "missing":
        return {"field": field, "expected": _expected(error), "found": "nothing"}
    return {"field": field, "expected": _expected(error), "found": token(error["input"])}


def _expected(error: Mapping[str, Any]) -> str:
    """pydantic's own words, or ours where the type has some."""
    context = error.get("ctx") or {}
    if isinstance(context.get("expected"), str):
        said = str(context["expected"])
        return said if error["type"] not in ("enum", "literal_error") else f"one of {said}"
    match error["type"]:
        case "missing":
            return "a value"
        case "json_invalid":
            return "JSON"
        case "extra_forbidden":
            return "no such member"
        case _:
            said = str(error["msg"])
            return said[:1].lower() + said[1:]
