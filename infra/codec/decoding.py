"""A stored event back to the domain event it holds; retired types through their upcasters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from domain.event import Event
from domain.facts import Fact
from infra.codec.content import content_head, digest_of
from infra.codec.envelope import Envelope
from infra.codec.faults import UndecodableEvent
from infra.codec.forms import FORMS, Form
from infra.codec.instants import microseconds_of, seconds_of
from infra.codec.names import split_stream_id
from infra.codec.unfrozen import unfrozen
from projections.ports import StoredEvent

_FRACTION = re.compile(rb'("(?:time|started_at|ended_at)":"[^"]{19})\.\d+')
_AFTER_RECORDED_AT = 43

_UnfrozenEvent = unfrozen(Event)

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the data of a retired event type into the data of its successor."""

Upcasters = Mapping[str, tuple[str, Upcaster]]
"""By retired stable event name: the successor's name and the function that leads there."""

UPCASTERS: dict[str, tuple[str, Upcaster]] = {}
"""No event type has been retired yet."""


def decode_event(stored: StoredEvent, upcasters: Upcasters = UPCASTERS) -> Event:
    """The domain event of a stored one; instants are cut to the whole second.

    The digest is recomputed from the stored content. Raises UndecodableEvent.
    """
    state = stored.state
    try:
        envelope, fact = opened(stored.name, state, upcasters)
        practice_id, patient_id, head = _address(stored.stream_id, stored.name)
        begin = state.index(b',"time":"') + 9
        time_text = state[begin : state.index(b'"', begin)]
        content = state[state.index(b',"data":') + 8 : -1]
        recorded = envelope.recorded_at
        event: Event = _UnfrozenEvent(
            practice_id,
            patient_id,
            envelope.source,
            envelope.id,
            seconds_of(envelope.time),
            fact,
            digest_of(head, time_text, content),
            None if recorded is None else microseconds_of(recorded),
            envelope.history,
        )
        event.__class__ = Event
        return event
    except (ValueError, msgspec.MsgspecError) as error:
        where = f"{stored.stream_id} version {stored.version} ({stored.name})"
        raise UndecodableEvent(f"stored event {where} cannot be read: {error}") from error


def opened(name: str, state: bytes, upcasters: Upcasters) -> tuple[Envelope[Any], Fact]:
    """The envelope of an event of that stable name, and the fact in it.

    Raises ValueError or msgspec.MsgspecError.
    """
    form = FORMS.get(name)
    if form is None:
        envelope, form = _decode_retired(name, state, upcasters)
    else:
        envelope = form.decode(_cut(state) if is_long(state) else state)
    data = envelope.data
    return envelope, data if form.to_fact is None else form.to_fact(data)


def is_long(state: bytes) -> bool:
    """Whether a fraction may be so long that rounding it up would reach the next second."""
    return state.find(b".", _AFTER_RECORDED_AT) > 0 and b".999999" in state


def _cut(state: bytes) -> bytes:
    return _FRACTION.sub(rb"\1", state)


def _decode_retired(name: str, state: bytes, upcasters: Upcasters) -> tuple[Envelope[Any], Form]:
    raw = msgspec.json.decode(_cut(state))
    seen = set[str]()
    while name not in FORMS:
        if name in seen or name not in upcasters:
            raise UndecodableEvent(f"no event type and no upcaster is named {name!r}")
        seen.add(name)
        name, upcast = upcasters[name]
        raw["data"] = upcast(raw["data"])
    form = FORMS[name]
    envelope: Envelope[Any] = msgspec.convert(raw, form.envelope)
    return envelope, form


@lru_cache(maxsize=100_000)
def _address(stream_id: str, name: str) -> tuple[str, str, bytes]:
    practice_id, patient_id = split_stream_id(stream_id)
    return practice_id, patient_id, content_head(practice_id, patient_id, name)
