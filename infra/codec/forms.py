"""The data of each event type: its stored shape, and what makes a fact of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from domain.facts import (
    FACT_OF_TYPE,
    TICK_TYPE,
    Clocked,
    ClockTicked,
    Fact,
    Performer,
    Role,
    ServiceBilled,
    TimeAmended,
    TimeLogged,
    Unclocked,
    Work,
)
from infra.codec.envelope import Envelope
from infra.codec.instants import seconds_of
from infra.codec.unfrozen import unfrozen


class StoredPerformer(msgspec.Struct, gc=False, frozen=True):
    id: str
    role: str
    outside_us: bool = False


class _Time(msgspec.Struct, gc=False):
    entry_id: str
    performer: StoredPerformer
    activity: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    performed_on: date | None = None
    seconds: int | None = None
    program: str = "ccm"


class _Amended(_Time, gc=False):
    """Only here is `reason` ours: in a logged entry a member of that name is the sender's own."""

    reason: str = ""


class _Billed(msgspec.Struct, gc=False, rename={"from_on": "from", "through_on": "through"}):
    hcpcs: str
    from_on: date
    through_on: date
    npi: str


@lru_cache(maxsize=100_000)
def performer_of(id: str, role: str, outside_us: bool) -> Performer:
    """One object a person: fewer to make, fewer to keep. (Hashing a `Role` would be slow.)"""
    return Performer(id, Role(role), outside_us)


_UnfrozenClocked = unfrozen(Clocked)
_UnfrozenTimeLogged = unfrozen(TimeLogged)


def _work(data: _Time) -> Work:
    started, ended = data.started_at, data.ended_at
    if started is not None and ended is not None:
        work: Work = _UnfrozenClocked(seconds_of(started), seconds_of(ended))
        work.__class__ = Clocked
        return work
    if data.performed_on is None or data.seconds is None:
        raise ValueError("neither started_at and ended_at nor performed_on and seconds")
    return Unclocked(data.performed_on, data.seconds)


def _logged(data: _Time) -> Fact:
    by = data.performer
    performer = performer_of(by.id, by.role, by.outside_us)
    fact: TimeLogged = _UnfrozenTimeLogged(
        data.entry_id, performer, data.activity, _work(data), data.program
    )
    fact.__class__ = TimeLogged
    return fact


def _amended(data: _Amended) -> Fact:
    by = data.performer
    performer = performer_of(by.id, by.role, by.outside_us)
    work = _work(data)
    return TimeAmended(data.entry_id, performer, data.activity, work, data.reason, data.program)


def _billed(data: _Billed) -> Fact:
    return ServiceBilled(data.hcpcs, data.from_on, data.through_on, data.npi)


class Form(NamedTuple):
    """How the data of one event type is read: its shape and what makes a fact of it."""

    envelope: Any
    to_fact: Callable[[Any], Fact] | None
    decode: Callable[[bytes], Envelope[Any]]


def form_of(shape: Any, to_fact: Callable[[Any], Fact] | None = None) -> Form:
    envelope: Any = Envelope[shape]
    return Form(envelope, to_fact, msgspec.json.Decoder(envelope).decode)


FORMS: dict[str, Form] = {
    "time.logged.v1": form_of(_Time, _logged),
    "time.amended.v1": form_of(_Amended, _amended),
    "service.billed.v1": form_of(_Billed, _billed),
    TICK_TYPE: form_of(ClockTicked),
}
FORMS |= {name: form_of(fact) for name, fact in FACT_OF_TYPE.items() if name not in FORMS}
