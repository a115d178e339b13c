"""Where requests are answered: written down, read off the event loop, sent with the right headers.

Reads run in a few threads of their own. What takes long keeps one of them and nothing else;
when all are taken and many wait, further requests are sent away instead of piling up.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from services.access import principal_of
from services.api.faults import Absent, Fault
from services.bootstrap import Parts
from services.ingest import Ingest
from services.outage import is_outage

log = logging.getLogger("caretally.api")

READERS: Final = 4
WAITING_MAX: Final = 64
ANSWER_SECONDS_MAX: Final = 30.0
JSON: Final = "application/json"

Noted = Callable[[Request, Mapping[str, str | None]], None]
"""Takes a request for patients' data and its filter; blocks until the read is written down."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a read found. Equal bodies have equal tags."""

    body: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def tag(self) -> str:
        """A strong validator (RFC 9110): of these bytes and no others."""
        return f'"{blake2b(self.body, digest_size=16).hexdigest()}"'


class Desk:
    """What the endpoints share: the parts, the access log, the threads."""

    def __init__(self, parts: Parts, noted: Noted, ingest: Ingest | None = None) -> None:
        """`noted` writes a read down before it begins; where it raises, nothing is read.
        `ingest` takes letters that are put in again; None where this process takes no events."""
        self.parts, self.ingest = parts, ingest
        self._noted = noted
        self._threads = ThreadPoolExecutor(READERS, "api")
        self._open = 0

    async def read(
        self,
        request: Request,
        wanted: Mapping[str, str | None],
        work: Callable[[], Answer],
        private: bool = True,
    ) -> Response:
        """The answer of `work`, after the read is written down (if `private`), or 304."""

        def noted_work() -> Answer:
            if private:
                self._noted(request, _narrowed(request, wanted))
            return work()

        return conditional(request, await self.call(noted_work))

    async def act(
        self, request: Request, wanted: Mapping[str, str | None], work: Callable[[], Answer]
    ) -> Response:
        """What `work` came to, after it was written down who asked for it."""

        def noted_work() -> Answer:
            self._noted(request, _narrowed(request, wanted))
            return work()

        done = await self.call(noted_work)
        headers = {"cache-control": "no-store", **done.headers}
        return Response(done.body, headers=headers, media_type=done.media_type)

    async def call(self, work: Callable[[], Any]) -> Any:
        """Work of a thread, within limits. Raises Fault where it cannot be done now."""
        if self._open >= READERS + WAITING_MAX:
            raise Fault(503, "too many requests wait already.")
        self._open += 1
        doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        doing.add_done_callback(self._done)
        try:
            return await asyncio.wait_for(asyncio.shield(doing), ANSWER_SECONDS_MAX)
        except TimeoutError:
            raise Fault(503, f"the answer takes over {ANSWER_SECONDS_MAX:g} s.") from None
        except Fault:
            raise
        except Exception as error:
            if not is_outage(error):
                raise
            log.warning("a request cannot be answered: %s", type(error).__name__)
            raise Fault(503, "the store does not answer.") from None

    def _done(self, doing: asyncio.Future[Any]) -> None:
        self._open -= 1
        if not doing.cancelled():
            doing.exception()  # seen: nobody may wait for it any more

    def close(self) -> None:
        """Begin nothing more. Idempotent."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _narrowed(request: Request, wanted: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Who sees one practice only reads that one, whether they say so or not."""
    practices = principal_of(request).practices
    if practices is None or len(practices) != 1 or wanted.get("practice") is not None:
        return wanted
    return {**wanted, "practice": next(iter(practices))}


def desk_of(request: Request) -> Desk:
    """The desk of the application that the request came to."""
    found = request.app.state.desk
    assert isinstance(found, Desk)
    return found


def seen(request: Request, practice: str | None) -> frozenset[str] | None:
    """Which practices a read may look at: the one that is asked for, all of the principal's
    without one; None: every practice. One that the principal does not see is as one without
    patients."""
    practices = principal_of(request).practices
    if practice is None:
        return practices
    return frozenset({practice}) if practices is None else practices & {practice}


def must_see(request: Request, practice: str, what: str) -> None:
    """Raises Absent for another's practice: it is not told that there is such a thing."""
    if not principal_of(request).sees(practice):
        raise Absent(what)


def conditional(request: Request, answer: Answer) -> Response:
    """The answer, or 304 to who has these bytes. Whoever keeps a copy asks before using it."""
    headers = {"cache-control": "private, no-cache", "etag": answer.tag, **answer.headers}
    if _is_known(request.headers.getlist("if-none-match"), answer.tag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, headers=headers, media_type=answer.media_type)


def _is_known(lines: list[str], tag: str) -> bool:
    """Whether the asker has these bytes; the comparison of If-None-Match is the weak one."""
    known = [one.strip().removeprefix("W/") for line in lines for one in line.split(",")]
    return tag in known or "*" in known
