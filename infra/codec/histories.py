"""A patient's stored events for whoever only folds them: decoded in one go, without digests.

The digest of an event's content is asked for where an event comes in (`domain.patient.decide`); a
fold of what is stored never asks. Clocked time entries, which are most of any log, are decoded
without detours; whatever else there is goes the way of `decode_event`, and a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from domain.event import Event
from domain.facts import Clocked, TimeLogged
from infra.codec.decoding import UPCASTERS, Upcasters, is_long, opened
from infra.codec.faults import UndecodableEvent
from infra.codec.forms import StoredPerformer, performer_of
from infra.codec.instants import EPOCH, microseconds_of, seconds_of
from infra.codec.names import split_stream_id
from infra.codec.unfrozen import unfrozen

EventRow = tuple[Any, ...]
"""Stream id, version, stable name and envelope of a stored event, whatever stands behind."""

_LOGGED = "time.logged.v1"
_A_DAY = 86_400


class _Clocked(msgspec.Struct, gc=False):
    entry_id: str
    performer: StoredPerformer
    activity: str
    started_at: datetime
    ended_at: datetime
    program: str = "ccm"


class _Entry(msgspec.Struct, gc=False):
    """The envelope of a clocked time entry."""

    source: str
    id: str
    time: datetime
    data: _Clocked
    recorded_at: str | None = None
    history: bool = False


_decode_entry = msgspec.json.Decoder(_Entry).decode
_UnfrozenEvent = unfrozen(Event)
_UnfrozenClocked = unfrozen(Clocked)
_UnfrozenTimeLogged = unfrozen(TimeLogged)


def decode_history(
    stream_id: str, rows: Iterable[EventRow], upcasters: Upcasters = UPCASTERS
) -> list[Event]:
    """The events of one stream as `decode_event` has them, but with empty digests.

    Raises UndecodableEvent.
    """
    practice_id, patient_id = split_stream_id(stream_id)
    events = []
    for row in rows:
        name, state = row[2], row[3]
        try:
            event = None
            if name == _LOGGED and not is_long(state):
                event = _entry(practice_id, patient_id, state)
            if event is None:
                event = _any(practice_id, patient_id, name, state, upcasters)
        except (ValueError, msgspec.MsgspecError) as error:
            where = f"{stream_id} version {row[1]} ({name})"
            raise UndecodableEvent(f"stored event {where} cannot be read: {error}") from error
        events.append(event)
    return events


def _entry(practice_id: str, patient_id: str, state: bytes) -> Event | None:
    """A clocked entry; None for one that is not, or not in form."""
    try:
        said = _decode_entry(state)
        time = said.time - EPOCH
        data = said.data
        started, ended = data.started_at - EPOCH, data.ended_at - EPOCH
    except (msgspec.MsgspecError, TypeError):
        return None
    work: Clocked = _UnfrozenClocked(
        started.days * _A_DAY + started.seconds, ended.days * _A_DAY + ended.seconds
    )
    work.__class__ = Clocked
    by = data.performer
    performer = performer_of(by.id, by.role, by.outside_us)
    fact: TimeLogged = _UnfrozenTimeLogged(
        data.entry_id, performer, data.activity, work, data.program
    )
    fact.__class__ = TimeLogged
    event: Event = _UnfrozenEvent(
        practice_id,
        patient_id,
        said.source,
        said.id,
        time.days * _A_DAY + time.seconds,
        fact,
        b"",
        None if said.recorded_at is None else _recorded(said.recorded_at),
        said.history,
    )
    event.__class__ = Event
    return event


def _any(practice_id: str, patient_id: str, name: str, state: bytes, upcasters: Upcasters) -> Event:
    said, fact = opened(name, state, upcasters)
    recorded = None if said.recorded_at is None else microseconds_of(said.recorded_at)
    time = seconds_of(said.time)
    event: Event = _UnfrozenEvent(
        practice_id, patient_id, said.source, said.id, time, fact, b"", recorded, said.history
    )
    event.__class__ = Event
    return event


@lru_cache(maxsize=4_096)
def _recorded(text: str) -> int:
    """All events of a batch were recorded at one instant."""
    return microseconds_of(msgspec.convert(text, datetime))
