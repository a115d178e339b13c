"""The HTTP door: `POST /api/v1/events` by the CloudEvents HTTP binding.

202 is sent when the events are durable, never before. A single event, structured or binary, that
is refused is the sender's to keep: the answer names the field and nothing of it is stored. In a
batch the good events are taken and the bad ones listed by index (207); those are dead letters too,
because senders drop a batch that was answered. An event that conflicts with a stored one is a dead
letter either way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from domain.rejections import Reason, Rejection
from services.access import Right, needs, principal_of
from services.access.routes import note_refusal
from services.doors.belonging import foreign
from services.doors.group import GroupCommit, Unavailable
from services.ingest import Delivery, Ingest
from services.wire.decode import decode_message
from services.wire.limits import MESSAGE_BYTES_MAX
from services.wire.modes import BATCH, STRUCTURED, media_type

PATH: Final = "/api/v1/events"
BATCH_BYTES_MAX: Final = 16 * MESSAGE_BYTES_MAX
"""A whole batch; each event in it has its own limit."""
BATCH_EVENTS_MAX: Final = 10_000
RETRY_AFTER_SECONDS: Final = 5
ORIGIN: Final = "http"

_PREFIX: Final = b"ce-"
_JSON_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_STATUS: Final = {Reason.TOO_LARGE: 413, Reason.CONFLICTING_DUPLICATE: 409}
_TITLES: Final = {
    400: "The event was refused",
    403: "The events are for another practice",
    409: "Another event with this source and id is stored",
    413: "The request is too large",
    415: "The content type is not a CloudEvent's",
    503: "The events were not taken; send them again",
}


class Problem(Exception):
    """Ends a request with an `application/problem+json` answer."""

    def __init__(self, status: int, detail: str, **members: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {"title": _TITLES[status], "status": status, "detail": detail, **members}

    def response(self) -> Response:
        headers = {"retry-after": str(RETRY_AFTER_SECONDS)} if self.status == 503 else {}
        if self.status == 415:
            headers["accept-post"] = f"{STRUCTURED}, {BATCH}"
        return _json(self.status, self.body, "application/problem+json", headers)


def routes(ingest: Ingest) -> list[Route]:
    """The door's routes. Requests share one queue: `ingest` is called by one thread at a time."""
    group = GroupCommit(ingest)

    @needs(Right.FEED)
    async def events(request: Request) -> Response:
        try:
            return await _answer(request, _bound(request, group.take))
        except Problem as problem:
            return problem.response()
        except Unavailable as error:
            return Problem(503, f"{error}.").response()
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is left to read it

    return [Route(PATH, events, methods=["POST"])]


Take = Callable[[Sequence[Delivery]], Awaitable[list[Rejection | None]]]


def _bound(request: Request, take: Take) -> Take:
    """Takes what is for practices of the sender's; refuses the whole of anything else."""
    principal = principal_of(request)
    if principal.practices is None:
        return take

    async def taken(deliveries: Sequence[Delivery]) -> list[Rejection | None]:
        if found := await run_in_threadpool(foreign, principal, deliveries):
            index, practice = found
            why = f"event {index} is for practice {practice[:60]!r}, which is not this sender's"
            await note_refusal(request, why)
            raise Problem(403, f"{why}; nothing was taken.", index=index, field="practiceid")
        return await take(deliveries)

    return taken


async def _answer(request: Request, take: Take) -> Response:
    kind = media_type(request.headers.get("content-type", ""))
    if kind == BATCH:
        return await _take_batch(await _body(request, BATCH_BYTES_MAX), take)
    headers = _headers(request, kind)
    return await _take_one(await _body(request, MESSAGE_BYTES_MAX), headers, take)


def _headers(request: Request, kind: str) -> tuple[tuple[str, bytes], ...]:
    """The message's headers in the form of the Kafka binding. Raises a 415 for other requests."""
    content = [
        (name.decode("latin-1"), value)
        for name, value in request.headers.raw
        if name == b"content-type"
    ]
    if kind == STRUCTURED:
        return tuple(content)
    attributes = [
        (f"ce_{name[3:].decode('latin-1')}", header_value(value))
        for name, value in request.headers.raw
        if name.startswith(_PREFIX)
    ]
    is_json = not kind or kind == "application/json" or kind.endswith("+json")
    if not attributes or not is_json or kind.startswith("application/cloudevents"):
        expected = f"{STRUCTURED}, {BATCH}, or ce- headers with application/json"
        found = f"'{kind[:60]}'" if kind else "none"
        raise Problem(415, f"content-type: expected {expected}; found {found}.")
    return (*content, *attributes)


def header_value(raw: bytes) -> bytes:
    """An attribute's UTF-8 from its header: first unquoted, then percent-decoded once."""
    if len(raw) >= 2 and raw.startswith(b'"') and raw.endswith(b'"'):
        pairs = raw[1:-1].split(b"\\\\")
        raw = b"\\".join(pair.replace(b"\\", b"") for pair in pairs)
    return unquote_to_bytes(raw)


async def _body(request: Request, bytes_max: int) -> bytes:
    """The whole body. Beyond the limit it is read to its end, unkept, so that the sender hears."""
    parts: list[bytes] = []
    length = 0
    async for part in request.stream():
        length += len(part)
        if length <= bytes_max:
            parts.append(part)
        elif length > 4 * BATCH_BYTES_MAX:
            break
    if length > bytes_max:
        detail = f"expected a body of at most {bytes_max} bytes; found more."
        raise Problem(413, detail, reason=Reason.TOO_LARGE.value)
    return b"".join(parts)


async def _take_one(body: bytes, headers: tuple[tuple[str, bytes], ...], take: Take) -> Response:
    decoded = decode_message(body, headers)
    if isinstance(decoded, Rejection):
        raise _refused(decoded)
    (result,) = await take([Delivery(body, None, headers, ORIGIN)])
    if result is not None:
        raise _refused(result)
    return _json(202, {"taken": 1})


async def _take_batch(body: bytes, take: Take) -> Response:
    headers = (("content-type", STRUCTURED.encode()),)
    deliveries = [Delivery(bytes(raw), None, headers, ORIGIN) for raw in _events_of(body)]
    results = await take(deliveries) if deliveries else []
    rejected = [
        {"index": index, **_members(result), "detail": result.sentence}
        for index, result in enumerate(results)
        if result is not None
    ]
    answer: dict[str, Any] = {"taken": len(results) - len(rejected)}
    return _json(207, {**answer, "rejected": rejected}) if rejected else _json(202, answer)


def _events_of(body: bytes) -> list[msgspec.Raw]:
    try:
        events = _JSON_ARRAY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        detail = "expected a JSON array of CloudEvents; found something else."
        raise Problem(400, detail, reason=Reason.NOT_JSON.value) from None
    if len(events) > BATCH_EVENTS_MAX:
        detail = f"expected at most {BATCH_EVENTS_MAX} events; found {len(events)}."
        raise Problem(413, detail, reason=Reason.TOO_LARGE.value)
    return events


def _refused(rejection: Rejection) -> Problem:
    status = _STATUS.get(rejection.reason, 400)
    return Problem(status, rejection.sentence, **_members(rejection))


def _members(rejection: Rejection) -> dict[str, str]:
    return {"reason": rejection.reason.value, "field": rejection.field}


def _json(
    status: int,
    body: dict[str, Any],
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
) -> Response:
    return Response(msgspec.json.encode(body), status, headers, kind)
