"""The message that comes most, a clocked time entry in plain form, decoded without detours.

Whatever is not wholly plain and right is left to the full decoder, which alone complains; so this
says either nothing or exactly what the full decoder says (a test holds them together).
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, Literal

import msgspec

from domain.facts import CLOCK_SOURCE, Clocked, Performer, Role, TimeLogged
from infra.codec import unfrozen
from services.wire import limits
from services.wire.instants import END_SECOND, FIRST_SECOND

NAME: Final = "time.logged.v1"

Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.IDENTIFIER_CHARS_MAX)]
Source = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.SOURCE_CHARS_MAX)]
RoleName = Literal["clinical_staff", "billing_practitioner", "other_practitioner", "non_clinical"]


class _Performer(msgspec.Struct, gc=False):
    id: Identifier
    role: RoleName
    outside_us: bool = False


class _Data(msgspec.Struct, gc=False):
    entry_id: Identifier
    performer: _Performer
    activity: Identifier
    started_at: datetime
    ended_at: datetime
    program: Identifier = "ccm"
    performed_on: None = None
    seconds: None = None


class _Message(msgspec.Struct, gc=False):
    specversion: Literal["1.0"]
    id: Identifier
    source: Source
    practiceid: Identifier
    subject: Identifier
    time: datetime
    data: _Data
    recordedtime: None = None
    datacontenttype: Literal["application/json"] | None = None
    backfill: None = None


_UnfrozenClocked = unfrozen(Clocked)
_UnfrozenTimeLogged = unfrozen(TimeLogged)


@lru_cache(maxsize=65_536)
def performer(id: str, role: str, outside_us: bool) -> Performer:
    """One object a person."""
    return Performer(id, Role(role), outside_us)


def is_plain(raw: bytes) -> bool:
    """Whether no string in the JSON text can hold anything but printable ASCII."""
    return raw.isascii() and b"\\" not in raw and b"\x7f" not in raw


def plain_entry(document: dict[str, Any]) -> tuple[_Message, TimeLogged, int] | None:
    """Message, fact and `time` in whole seconds of a plain document of type `NAME`; None where
    the full decoder must look at it."""
    try:
        message = msgspec.convert(document, _Message)
    except msgspec.ValidationError:
        return None
    data, said = message.data, document["data"]
    started_at = seconds_at(data.started_at, said["started_at"])
    ended_at = seconds_at(data.ended_at, said["ended_at"])
    time = seconds_at(message.time, document["time"])
    if not is_work(started_at, ended_at, time) or message.source == CLOCK_SOURCE:
        return None
    work: Clocked = _UnfrozenClocked(started_at, ended_at)
    work.__class__ = Clocked
    by = data.performer
    who = performer(by.id, by.role, by.outside_us)
    fact: TimeLogged = _UnfrozenTimeLogged(data.entry_id, who, data.activity, work, data.program)
    fact.__class__ = TimeLogged
    return message, fact, time


def logged(
    entry_id: str, performer: Performer, activity: str, program: str, span: tuple[int, int]
) -> TimeLogged:
    """The fact of work of this span, in seconds, that is right (`is_work`)."""
    work: Clocked = _UnfrozenClocked(*span)
    work.__class__ = Clocked
    fact: TimeLogged = _UnfrozenTimeLogged(entry_id, performer, activity, work, program)
    fact.__class__ = TimeLogged
    return fact


def is_work(started_at: int, ended_at: int, time: int) -> bool:
    """Whether work of these seconds can be told at this time."""
    return (
        0 < started_at < ended_at <= started_at + limits.ENTRY_SECONDS_MAX
        and ended_at <= time + limits.AHEAD_SECONDS_MAX
    )


def seconds_at(moment: datetime, text: str) -> int:
    """Whole seconds since the epoch; -1 for what is not written as `2025-01-31T09:00:00Z`, with an
    offset in place of the Z, or with milliseconds, or lies outside the years."""
    length = len(text)
    if text[10] != "T" or not (
        (length == 20 and text[19] == "Z")
        or (length == 25 and text[19] in "+-")
        or (length == 24 and text[19] == "." and text[23] == "Z")
        or (length == 29 and text[19] == "." and text[23] in "+-")
    ):
        return -1
    seconds = int(moment.timestamp())
    return seconds if FIRST_SECOND <= seconds < END_SECOND else -1
