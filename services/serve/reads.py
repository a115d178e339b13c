"""Reads over HTTP, for the access log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request

from services.access import principal_of
from services.audit.access import HTTP, Reader, record
from services.bootstrap import Parts

ACTOR_HEADER: Final = "x-actor"
REASON_HEADER: Final = "x-reason"
CHARS_MAX: Final = 200


class Reads:
    """Writes down each read of patients' data before it is answered.

    The user is the principal's name; where nobody signs in, `this machine`. Headers may say more:
    who sits behind a service's token, and why they ask.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def note(self, request: Request, wanted: Mapping[str, str | None]) -> None:
        """Append the fact. Blocks; raises what the database raises: then nothing may be sent."""
        said = {
            name: request.headers.get(name, "")[:CHARS_MAX]
            for name in (ACTOR_HEADER, REASON_HEADER)
        }
        reader = Reader(HTTP, principal_of(request).name, said[ACTOR_HEADER], said[REASON_HEADER])
        record(self._parts.store, self._parts.clock, reader, request.url.path, wanted)
