"""Refused input and what waits for review: listed, shown whole, put in again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.rejections import Reason
from infra.codec import instant_text
from infra.eventstore.letters import open_letters
from projections.letters import ActKind, DeadLetter
from services.access import Right, needs, principal_of
from services.api import asking
from services.api.cursors import unsealed
from services.api.desk import Answer, Desk, desk_of
from services.api.faults import Absent, Fault
from services.api.paging import encode, filters, page
from services.api.resource import Resource, json_of, pages_of
from services.dead_letters import (
    Wanted,
    as_listed,
    as_replayed,
    as_shown,
    letter_of,
    replay_letters,
)
from services.views.letters import Chosen, is_review, letters_page, practice_of_letter


@dataclass(frozen=True, slots=True)
class DeadLetterItem:
    """A letter without what came in it. `review`: it says nothing against its sender."""

    id: int
    received_at: str
    origin: str
    reason: Reason
    field: str
    sentence: str
    replayed_at: str | None
    set_aside_at: str | None
    practice_id: str | None
    review: bool
    waits_for: str


@dataclass(frozen=True, slots=True)
class Bytes:
    """What came: `text` where it is UTF-8, else `base64`."""

    text: str = ""
    base64: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    name: str
    value: Bytes


@dataclass(frozen=True, slots=True)
class LetterActItem:
    """What a person did with a letter; `value` is what was taken in the original's place."""

    at: str
    kind: ActKind
    by: str
    reason: str
    value: Bytes | None


@dataclass(frozen=True, slots=True)
class DeadLetterWhole(DeadLetterItem):
    """A letter with everything that came in it, and what people did with it."""

    key: Bytes | None
    headers: tuple[Header, ...]
    value: Bytes | None
    acts: tuple[LetterActItem, ...]


@dataclass(frozen=True, slots=True)
class LetterReplayed:
    """What became of a letter; the last three are null where it was taken."""

    id: int
    taken: bool
    reason: Reason | None
    field: str | None
    sentence: str | None


@needs(Right.QUEUE)
async def dead_letters(
    request: Request,
    reason: asking.ReasonWord = None,
    origin: asking.Origin = None,
    review: asking.MaybeMark = None,
    all: asking.Mark = False,
    limit: asking.Limit = asking.PAGE,
    cursor: asking.Cursor = None,
) -> Response:
    """Refused input, oldest first, without the payloads. `review=true`: what waits for a person,
    a mapping, an identity or a fetch; `all=true`: also what was taken or set aside since.

    Letters that name no practice are shown to those alone who see every practice.
    """
    desk = desk_of(request)
    chosen = Chosen(Wanted(reason, origin, all), review)
    after = unsealed(cursor, request.url.path, filters(request), int) or 0

    def read() -> Answer:
        def sees(letter: DeadLetter) -> bool:
            return _sees(request, desk, letter)

        found = letters_page(desk.parts.store, chosen, sees, after, limit)
        return page(request, [_listed(desk, one) for one in found.items], found.next)

    return await desk.read(request, filters(request), read)


@needs(Right.QUEUE)
async def dead_letter(request: Request, letter: asking.IdInPath) -> Response:
    """One letter whole: why it was refused, its key, headers and original bytes."""
    desk = desk_of(request)

    def read() -> Answer:
        found = _letter(request, desk, letter)
        acts = open_letters(desk.parts.store).acts(letter)
        return Answer(encode(_listed(desk, found) | as_shown(found, acts)))

    return await desk.read(request, {"dead_letter": str(letter)}, read)


@needs(Right.QUEUE)
async def replay_dead_letter(request: Request, letter: asking.IdInPath) -> Response:
    """Put a letter in again as it first came, after what was wrong is mended.

    What is taken is marked so in the same transaction as its event; what is refused again stays.
    """
    desk = desk_of(request)

    def work() -> Answer:
        found = _letter(request, desk, letter)
        if found.replayed_at_us is not None:
            at = instant_text(found.replayed_at_us)
            raise Fault(409, f"expected a letter that still waits; this one was taken at {at}.")
        if desk.ingest is None:
            raise Fault(503, "this process takes no events.")
        (replayed,) = replay_letters(desk.ingest, [found], 1)
        return Answer(encode(as_replayed(replayed)))

    return await desk.act(request, {"dead_letter": str(letter)}, work)


def _sees(request: Request, desk: Desk, letter: DeadLetter) -> bool:
    principal = principal_of(request)
    if principal.practices is None:
        return True
    practice = practice_of_letter(letter, desk.parts)
    return practice is not None and principal.sees(practice)


def _letter(request: Request, desk: Desk, letter_id: int) -> DeadLetter:
    found = letter_of(desk.parts.store, letter_id)
    if found is None or not _sees(request, desk, found):
        raise Absent("dead letter")
    return found


def _listed(desk: Desk, letter: DeadLetter) -> dict[str, Any]:
    return as_listed(letter) | {
        "practice_id": practice_of_letter(letter, desk.parts),
        "review": is_review(letter),
        "waits_for": letter.waits_for,
    }


LETTER = "/dead-letters/{letter}"

ROUTES = (
    Resource("/dead-letters", dead_letters, pages_of("DeadLetterItem"), tag="queue"),
    Resource(LETTER, dead_letter, json_of("DeadLetterWhole"), tag="queue"),
    Resource(
        f"{LETTER}/replay",
        replay_dead_letter,
        json_of("LetterReplayed"),
        tag="queue",
        method="POST",
        faults=(409,),
    ),
)
