"""A time entry that a translation made, to an event: what is right by its making is not asked."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

from domain.event import Event
from infra.codec import content_digest, sorted_json, unfrozen
from services.wire import quick
from services.wire.decode import Accepted
from services.wire.instants import END_SECOND, FIRST_SECOND

_INSTANT: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:[0-5]\d)", re.ASCII
).fullmatch
_UnfrozenEvent = unfrozen(Event)


def time_entry(
    practice: str,
    patient: str,
    source: str,
    id: str,
    time_text: str,
    data: dict[str, Any],
    history: bool,
) -> Accepted | None:
    """The event of a clocked `time.logged.v1`; None where the decoder must look at it.

    All texts but the instants are identifiers of the contract already, in printable ASCII, and
    `data` has the contract's members and no others: a test holds this to `decode_document`.
    """
    time = _seconds(time_text)
    started_at, ended_at = _seconds(data["started_at"]), _seconds(data["ended_at"])
    fact = quick.logged(data, started_at, ended_at, time)
    if fact is None:
        return None
    said = sorted_json(data)
    digest = content_digest(practice, patient, quick.NAME, time_text, said)
    event: Event = _UnfrozenEvent(practice, patient, source, id, time, fact, digest, None, history)
    event.__class__ = Event
    return Accepted(event, quick.NAME, time_text, said)


def _seconds(text: str) -> int:
    """Whole seconds since the epoch; -1 for what is not written plainly, or outside the years."""
    if not _INSTANT(text):
        return -1
    try:
        seconds = int(datetime.fromisoformat(text).timestamp())
    except ValueError:
        return -1
    return seconds if FIRST_SECOND <= seconds < END_SECOND else -1
