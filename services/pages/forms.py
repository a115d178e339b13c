"""Forms as browsers send them: fields by name, with limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request

BYTES_MAX: Final = 4 * 1_048_576
FIELDS_MAX: Final = 20_000
KIND: Final = "application/x-www-form-urlencoded"


class BadForm(ValueError):
    """What was sent is no form of ours; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form."""

    fields: Mapping[str, list[str]]

    def one(self, name: str) -> str:
        """The field's only or last value, empty where it was not sent."""
        return self.fields.get(name, [""])[-1]

    def all(self, name: str) -> list[str]:
        """Every value of the field, in the order of the form."""
        return self.fields.get(name, [])


async def form_of(request: Request, bytes_max: int = BYTES_MAX) -> Form:
    """Read the whole form. Raises BadForm."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != KIND:
        raise BadForm(f"expected a form as {KIND}")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > bytes_max:
            raise BadForm(f"expected a form of at most {bytes_max} bytes")
    try:
        text = body.decode("ascii")
        found = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX)
    except ValueError:
        raise BadForm(f"expected at most {FIELDS_MAX} fields in UTF-8") from None
    return Form(found)
