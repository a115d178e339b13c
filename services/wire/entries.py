"""A time entry that a translation made, to an event: what is right by its making is not asked."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from domain.event import Event
from domain.facts import Performer
from infra.codec import content_digest, sorted_json, unfrozen
from services.wire import quick
from services.wire.accepted import Accepted
from services.wire.instants import END_SECOND, FIRST_SECOND

_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:[0-5]\d)", re.ASCII
).fullmatch
_UnfrozenEvent = unfrozen(Event)
_encode = msgspec.json.Encoder().encode


class Worked(NamedTuple):
    """Who did what: `data` of an entry, in canonical form, but for its id and its instants."""

    performer: Performer
    activity: str
    program: str
    head: str
    rest: str


Told = tuple[str, int]
"""An instant as it was written, and in seconds since the epoch, -1 where it is none."""


def worked(who: dict[str, Any], activity: str, program: str | None) -> Worked:
    """Of texts in printable ASCII that are identifiers of the contract already; `program` is None
    where it is not told."""
    by = quick.performer(who["id"], who["role"], who.get("outside_us", False))
    head = f'{{"activity":{_encode(activity).decode()},"ended_at":"'
    rest = f'","performer":{sorted_json(who).decode()}'
    if program is not None:
        rest += f',"program":{_encode(program).decode()}'
    return Worked(by, activity, program or "ccm", head, f'{rest},"started_at":"')


def time_entry(
    whose: tuple[str, str],
    key: tuple[str, str],
    time: Told,
    entry_id: str,
    work: Worked,
    start: Told,
    end: Told,
    history: bool,
) -> Accepted | None:
    """The event of a clocked `time.logged.v1` of a practice and patient under a source and id; None
    where the decoder must look at it.

    All texts but the instants are identifiers of the contract already, in printable ASCII without
    quotes: a test holds this to `decode_document`.
    """
    time_text, at = time
    (start_text, started_at), (end_text, ended_at) = start, end
    if not quick.is_work(started_at, ended_at, at):
        return None
    span = (started_at, ended_at)
    fact = quick.logged(entry_id, work.performer, work.activity, work.program, span)
    said = f'{work.head}{end_text}","entry_id":"{entry_id}{work.rest}{start_text}"}}'.encode()
    digest = content_digest(*whose, quick.NAME, time_text, said)
    event: Event = _UnfrozenEvent(*whose, *key, at, fact, digest, None, history)
    event.__class__ = Event
    return Accepted(event, quick.NAME, time_text, said)


def seconds_of(text: str) -> int:
    """Whole seconds since the epoch; -1 for what is not written plainly, or outside the years."""
    if not _INSTANT(text):
        return -1
    try:
        seconds = int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return -1
    return seconds if FIRST_SECOND <= seconds < END_SECOND else -1
