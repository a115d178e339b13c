"""A clocked time entry with no members but those it needs, read without looking at each.

Most messages are such. Whatever else there is, is left to the decoders that look closer; so this
says either nothing or exactly what the full decoder says (a test holds them together).
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Final, Literal

import msgspec

from domain.facts import CLOCK_SOURCE
from services.wire.accepted import Accepted
from services.wire.entries import Told, Worked, seconds_of, time_entry, worked
from services.wire.instants import day
from services.wire.limits import MESSAGE_BYTES_MAX
from services.wire.quick import NAME, Identifier, RoleName, Source

_TYPE: Final = f'"{NAME}"'.encode()


class _Performer(msgspec.Struct, gc=False):
    id: Identifier
    role: RoleName
    outside_us: bool | msgspec.UnsetType = msgspec.UNSET


class _Data(msgspec.Struct, gc=False):
    entry_id: Identifier
    performer: _Performer
    activity: Identifier
    started_at: str
    ended_at: str
    program: Identifier | msgspec.UnsetType = msgspec.UNSET


class _Message(msgspec.Struct, gc=False):
    specversion: Literal["1.0"]
    id: Identifier
    source: Source
    type: Literal["time.logged.v1"]
    practiceid: Identifier
    subject: Identifier
    time: str
    data: _Data
    datacontenttype: Literal["application/json"] | msgspec.UnsetType = msgspec.UNSET


_decode = msgspec.json.Decoder(_Message).decode
_MEMBERS: Final = 8
"""Of a message, its content type and what is in its data aside."""


def bare_entry(raw: bytes, history: bool) -> Accepted | None:
    """The event of a bare message in printable ASCII; None where others must look at it."""
    if _TYPE not in raw or len(raw) > MESSAGE_BYTES_MAX:
        return None
    try:
        said = _decode(raw)
    except msgspec.MsgspecError:
        return None
    data = said.data
    by = data.performer
    found = time_entry(
        (said.practiceid, said.subject),
        (said.source, said.id),
        _told(said.time),
        data.entry_id,
        _worked(by.id, by.role, by.outside_us, data.activity, data.program),
        _told(data.started_at),
        _told(data.ended_at),
        history,
    )
    if found is None or said.source == CLOCK_SOURCE or not _is_whole(raw, said, found.data):
        return None
    return found


def _is_whole(raw: bytes, said: _Message, data: bytes) -> bool:
    """Whether nothing was passed over: neither a member that is not known nor one told twice.

    Each member has a colon, those in strings aside; and a string without escapes has as many in
    the text as here.
    """
    colons = data.count(b":") + said.time.count(":") + _MEMBERS
    colons += f"{said.id}{said.source}{said.practiceid}{said.subject}".count(":")
    return raw.count(b":") == colons + (said.datacontenttype is not msgspec.UNSET)


@lru_cache(maxsize=65_536)
def _worked(
    id: str,
    role: str,
    outside_us: bool | msgspec.UnsetType,
    activity: str,
    program: str | msgspec.UnsetType,
) -> Worked:
    """One object for all that a person does of one kind."""
    who = {"id": id, "role": role}
    told = who if outside_us is msgspec.UNSET else who | {"outside_us": outside_us}
    return worked(told, activity, None if program is msgspec.UNSET else program)


def _told(text: str) -> Told:
    try:
        return text, _midnight(text[:11]) + _MINUTES[text[11:17]] + _SECONDS[text[17:]]
    except (KeyError, ValueError):
        return text, seconds_of(text)


@lru_cache(maxsize=4_096)
def _midnight(text: str) -> int:
    """The first second of `2025-01-31T` in UTC. Raises as `day`, also without the T."""
    if text[10:] != "T":
        raise ValueError(text)
    return (day(text[:10]) - _EPOCH_DAY).days * 86_400


_EPOCH_DAY: Final = date(1970, 1, 1)
_MINUTES: Final = {
    f"{hour:02}:{minute:02}:": hour * 3_600 + minute * 60
    for hour in range(24)
    for minute in range(60)
}
_SECONDS: Final = {f"{second:02}Z": second for second in range(60)}
