"""Events as rows of MessagePack: what a snapshot holds of each fact, and nothing else."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from typing import cast

import msgspec

from domain.event import Event
from domain.facts import (
    FACT_OF_TYPE,
    Clocked,
    Fact,
    Performer,
    Role,
    TimeAmended,
    TimeFact,
    TimeLogged,
    TimeVoided,
    Unclocked,
    Work,
)

_NAME_OF_TYPE = {fact: name for name, fact in FACT_OF_TYPE.items()}
_FACT_DECODER = {
    name: msgspec.msgpack.Decoder(fact)
    for name, fact in FACT_OF_TYPE.items()
    if fact not in (TimeLogged, TimeAmended, TimeVoided)
}
_FASTEST = 1
"""zlib's level: higher ones take twice the time for 4 % less."""

_encode = msgspec.msgpack.Encoder().encode


class FactRow(msgspec.Struct, array_like=True, gc=False):
    """An event that is not about time."""

    name: str
    source: str
    id: str
    time: int
    recorded_at_us: int | None
    digest: bytes
    fact: msgspec.Raw


class _TimeRow(msgspec.Struct, array_like=True, gc=False):
    """A revision of a time entry.

    `work` is start and end in seconds since the epoch, or the day's ordinal and seconds when it
    is not clocked; nothing for a void, which has no performer either.
    """

    source: str
    id: str
    time: int
    recorded_at_us: int | None
    digest: bytes
    entry_id: str
    reason: str | None
    performer: tuple[str, str, bool] | None = None
    activity: str = ""
    program: str = ""
    clocked: bool = False
    work: tuple[int, int] = (0, 0)


_decode_rows = msgspec.msgpack.Decoder(list[_TimeRow]).decode


def fact_row(event: Event) -> FactRow:
    return FactRow(
        _NAME_OF_TYPE[type(event.fact)],
        event.source,
        event.id,
        event.time,
        event.recorded_at_us,
        event.digest,
        msgspec.Raw(_encode(event.fact)),
    )


def event_of(row: FactRow, practice_id: str, patient_id: str) -> Event:
    """Raises KeyError for an unknown name, msgspec.MsgspecError for a fact of another shape."""
    fact: Fact = _FACT_DECODER[row.name].decode(row.fact)
    return Event(
        practice_id,
        patient_id,
        row.source,
        row.id,
        row.time,
        fact,
        row.digest,
        row.recorded_at_us,
    )


def pack_time(events: Iterable[Event]) -> bytes:
    """Time events, packed."""
    return zlib.compress(time_rows(events), _FASTEST)


def unpack_time(packed: bytes, practice_id: str, patient_id: str) -> list[tuple[str, Event]]:
    """Time events with their `entry_id`, in the order in which they were packed."""
    return [
        (
            row.entry_id,
            Event(
                practice_id,
                patient_id,
                row.source,
                row.id,
                row.time,
                _time_fact(row),
                row.digest,
                row.recorded_at_us,
            ),
        )
        for row in _decode_rows(zlib.decompress(packed))
    ]


def time_rows(events: Iterable[Event]) -> bytes:
    """The rows before they are compressed: the same on every machine."""
    return _encode([_time_row(event, cast(TimeFact, event.fact)) for event in events])


def _time_row(event: Event, fact: TimeFact) -> _TimeRow:
    row = _TimeRow(
        event.source,
        event.id,
        event.time,
        event.recorded_at_us,
        event.digest,
        fact.entry_id,
        None if isinstance(fact, TimeLogged) else fact.reason,
    )
    if not isinstance(fact, TimeVoided):
        by, work = fact.performer, fact.work
        row.performer = (by.id, by.role.value, by.outside_us)
        row.activity, row.program = fact.activity, fact.program
        row.clocked = isinstance(work, Clocked)
        if isinstance(work, Clocked):
            row.work = (work.started_at, work.ended_at)
        else:
            row.work = (work.performed_on.toordinal(), work.seconds)
    return row


def _time_fact(row: _TimeRow) -> Fact:
    if row.performer is None:
        return TimeVoided(row.entry_id, row.reason or "")
    first, second = row.work
    work: Work = (
        Clocked(first, second) if row.clocked else Unclocked(date.fromordinal(first), second)
    )
    performer = _performer(*row.performer)
    if row.reason is None:
        return TimeLogged(row.entry_id, performer, row.activity, work, row.program)
    return TimeAmended(row.entry_id, performer, row.activity, work, row.reason, row.program)


@lru_cache(maxsize=100_000)
def _performer(id: str, role: str, outside_us: bool) -> Performer:
    """One object a person, as when events are decoded."""
    return Performer(id, Role(role), outside_us)
