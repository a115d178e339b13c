"""Stored bytes to domain events and back: one envelope form, stable names, a chain of hashes.

The envelope is compact JSON with its members in a fixed order, `data` last and canonical, so
content can be hashed by slicing the stored bytes. A quote inside a JSON string is always escaped;
therefore the first unescaped `,"time":"` and `,"data":` are the envelope's own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, make_dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b, sha256
from math import isfinite
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from domain.event import Event
from domain.facts import (
    FACT_OF_TYPE,
    Clocked,
    Fact,
    Instant,
    Performer,
    Role,
    ServiceBilled,
    TimeAmended,
    TimeLogged,
    Unclocked,
    Work,
)
from projections.ports import StoredEvent

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_MICROSECOND = timedelta(microseconds=1)
_FRACTION = re.compile(rb'("(?:time|started_at|ended_at)":"[^"]{19})\.\d+')
_AFTER_RECORDED_AT = 43
_TEXT_FRACTION = re.compile(r"\.\d+")


class UndecodableEvent(ValueError):
    """A stored event that today's code cannot read: an unknown name or bytes out of form."""


class BrokenChain(ValueError):
    """A stream whose stored bytes are not the ones that were linked when they were written."""

    def __init__(self, stream_id: str, version: int, why: str) -> None:
        """`version` is the first event of the stream at which the chain does not hold."""
        super().__init__(f"stream {stream_id} is broken at version {version}: {why}")
        self.stream_id = stream_id
        self.version = version


# --- names and keys -------------------------------------------------------------------------


def stream_id(practice_id: str, patient_id: str) -> str:
    """`<practice>/<patient>`; `%` and `/` of the practice are escaped, so the first `/` splits."""
    return f"{practice_id.replace('%', '%25').replace('/', '%2F')}/{patient_id}"


def split_stream_id(stream_id: str) -> tuple[str, str]:
    """Practice and patient of a stream id. Raises ValueError when there is no `/` in it."""
    practice, slash, patient = stream_id.partition("/")
    if not slash:
        raise ValueError(f"stream id {stream_id!r} has no '/' between practice and patient")
    return practice.replace("%2F", "/").replace("%25", "%"), patient


def event_key(source: str, id: str) -> bytes:
    """The 16-byte global dedupe key of (`source`, `id`)."""
    return blake2b(f"{len(source)}:{source}{id}".encode(), digest_size=16).digest()


def canonical_json(obj: object) -> bytes:
    """Equal JSON values give equal bytes: sorted keys, compact, integral floats as integers.

    Raises ValueError for what JSON cannot say: NaN, infinities, lone surrogates, bottomless nests.
    """
    try:
        return msgspec.json.encode(_canonical(obj), order="sorted")
    except RecursionError:
        raise ValueError("value is nested too deeply") from None


def _canonical(value: object) -> object:
    if isinstance(value, dict):
        return {key: _canonical(member) for key, member in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(member) for member in value]
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError(f"{value} is not a JSON number")
        return int(value) if value.is_integer() else value
    return value


def content_digest(
    practice_id: str, patient_id: str, type_name: str, time_text: str, data: bytes
) -> bytes:
    """16 bytes that stand for an event's content; `data` is canonical JSON."""
    head = _content_head(practice_id, patient_id, type_name)
    return _content_digest(head, time_text.encode(), data)


def _content_head(practice_id: str, patient_id: str, type_name: str) -> bytes:
    parts = (practice_id, patient_id, type_name)
    return "".join(f"{len(part)}:{part}" for part in parts).encode()


def _content_digest(head: bytes, time_text: bytes, data: bytes) -> bytes:
    # An RFC 3339 text holds no brace and the data begins with one: no length is needed between.
    return blake2b(head + time_text + data, digest_size=16).digest()


@lru_cache(maxsize=100_000)
def _address(stream_id: str, name: str) -> tuple[str, str, bytes]:
    practice_id, patient_id = split_stream_id(stream_id)
    return practice_id, patient_id, _content_head(practice_id, patient_id, name)


# --- time -----------------------------------------------------------------------------------


def instant(text: str) -> Instant:
    """Whole seconds since the epoch of an RFC 3339 text with offset, fractions cut off.

    Raises ValueError when the text is not one or names no offset.
    """
    try:
        moment = msgspec.convert(_TEXT_FRACTION.sub("", text, count=1), datetime)
    except msgspec.ValidationError:
        raise ValueError(f"{text!r} is not an RFC 3339 date and time") from None
    return _seconds(moment)


def _seconds(moment: datetime) -> Instant:
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC")
    return (moment - _EPOCH) // _SECOND


@lru_cache(maxsize=1024)
def _second_text(seconds: int) -> str:
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")


def utc_text(microseconds: int) -> str:
    """Microseconds since the epoch as RFC 3339 UTC, always with six digits of fraction."""
    return f"{_second_text(microseconds // 1_000_000)}.{microseconds % 1_000_000:06d}Z"


# --- the envelope ---------------------------------------------------------------------------


class _State(msgspec.Struct, gc=False):
    recorded_at: str | None
    source: str
    id: str
    time: str
    previous: str | None
    data: msgspec.Raw


class _Envelope(msgspec.Struct, Generic[_T], gc=False):
    """What decoding needs of an envelope; the link to the predecessor is not part of the fact."""

    source: str
    id: str
    time: datetime
    data: _T
    recorded_at: datetime | None = None


_ENCODER = msgspec.json.Encoder()


def encode_state(
    *,
    source: str,
    id: str,
    time_text: str,
    recorded_at_us: int | None,
    previous: bytes | None,
    data: bytes,
) -> bytes:
    """The stored envelope. `data` is canonical JSON; `previous` the predecessor's `link`.

    `recorded_at_us` is in microseconds since the epoch, None when it is not known.
    """
    recorded_at = None if recorded_at_us is None else utc_text(recorded_at_us)
    linked = None if previous is None else previous.hex()
    return _ENCODER.encode(_State(recorded_at, source, id, time_text, linked, msgspec.Raw(data)))


def link(stream_id: str, version: int, name: str, state: bytes) -> bytes:
    """SHA-256 of a stored event: what the next event of the stream has as `previous`."""
    head = f"{len(stream_id)}:{stream_id}{version}:{len(name)}:{name}".encode()
    return sha256(head + state).digest()


def previous_link(state: bytes) -> bytes | None:
    """The predecessor's link that an envelope claims; None for the first of a stream."""
    begin = state.find(b',"previous":') + 12
    if begin == 11:
        raise UndecodableEvent("envelope has no member 'previous'")
    if state.startswith(b"null", begin):
        return None
    try:
        return bytes.fromhex(state[begin + 1 : begin + 65].decode())
    except ValueError:
        raise UndecodableEvent("envelope member 'previous' is not a hash in hex") from None


def verify_chain(events: Sequence[StoredEvent]) -> None:
    """Recompute the chain of each stream, events in order of version.

    Raises BrokenChain at the first event whose version or link does not follow its predecessor.
    A stream may begin anywhere; only a beginning at version 1 is checked to be one.
    """
    heads: dict[str, tuple[int, bytes]] = {}
    for event in events:
        _follow(event, heads.get(event.stream_id))
        own = link(event.stream_id, event.version, event.name, event.state)
        heads[event.stream_id] = (event.version, own)


def _follow(event: StoredEvent, head: tuple[int, bytes] | None) -> None:
    try:
        claimed = previous_link(event.state)
    except UndecodableEvent as error:
        raise BrokenChain(event.stream_id, event.version, str(error)) from None
    if head is None:
        if (event.version == 1) != (claimed is None):
            raise BrokenChain(event.stream_id, event.version, "only version 1 has no predecessor")
    elif event.version != head[0] + 1:
        raise BrokenChain(event.stream_id, event.version, f"it follows version {head[0]}")
    elif claimed != head[1]:
        raise BrokenChain(event.stream_id, event.version, "its predecessor has another hash")


# --- data by type ---------------------------------------------------------------------------


class _Performer(msgspec.Struct, gc=False, frozen=True):
    id: str
    role: str
    outside_us: bool = False


class _Time(msgspec.Struct, gc=False):
    entry_id: str
    performer: _Performer
    activity: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    performed_on: date | None = None
    seconds: int | None = None
    program: str = "ccm"
    reason: str = ""


class _Billed(msgspec.Struct, gc=False, rename={"from_on": "from", "through_on": "through"}):
    hcpcs: str
    from_on: date
    through_on: date
    npi: str


@lru_cache(maxsize=100_000)
def _performer(id: str, role: str, outside_us: bool) -> Performer:
    """One object a person: fewer to make, fewer to keep. (Hashing a `Role` would be slow.)"""
    return Performer(id, Role(role), outside_us)


def _unfrozen(frozen: type[Any]) -> Any:
    """A twin of a frozen dataclass with the same slots, to be made into it by its `__class__`.

    Replay makes three objects an event; the frozen ones' own `__init__` takes twice the time.
    """
    names = [(field.name, Any) for field in fields(frozen)]
    return make_dataclass(f"Unfrozen{frozen.__name__}", names, slots=True)


_UnfrozenClocked = _unfrozen(Clocked)
_UnfrozenTimeLogged = _unfrozen(TimeLogged)
_UnfrozenEvent = _unfrozen(Event)


def _work(data: _Time) -> Work:
    started, ended = data.started_at, data.ended_at
    if started is not None and ended is not None:
        work: Work = _UnfrozenClocked(_seconds(started), _seconds(ended))
        work.__class__ = Clocked
        return work
    if data.performed_on is None or data.seconds is None:
        raise ValueError("neither started_at and ended_at nor performed_on and seconds")
    return Unclocked(data.performed_on, data.seconds)


def _logged(data: _Time) -> Fact:
    by = data.performer
    performer = _performer(by.id, by.role, by.outside_us)
    fact: TimeLogged = _UnfrozenTimeLogged(
        data.entry_id, performer, data.activity, _work(data), data.program
    )
    fact.__class__ = TimeLogged
    return fact


def _amended(data: _Time) -> Fact:
    by = data.performer
    performer = _performer(by.id, by.role, by.outside_us)
    work = _work(data)
    return TimeAmended(data.entry_id, performer, data.activity, work, data.reason, data.program)


def _billed(data: _Billed) -> Fact:
    return ServiceBilled(data.hcpcs, data.from_on, data.through_on, data.npi)


class _Form(NamedTuple):
    """How the data of one event type is read: its shape and what makes a fact of it."""

    envelope: Any
    to_fact: Callable[[Any], Fact] | None
    decode: Callable[[bytes], _Envelope[Any]]


def _form(shape: Any, to_fact: Callable[[Any], Fact] | None = None) -> _Form:
    envelope: Any = _Envelope[shape]
    return _Form(envelope, to_fact, msgspec.json.Decoder(envelope).decode)


_FORMS: dict[str, _Form] = {
    "time.logged.v1": _form(_Time, _logged),
    "time.amended.v1": _form(_Time, _amended),
    "service.billed.v1": _form(_Billed, _billed),
}
_FORMS |= {name: _form(fact) for name, fact in FACT_OF_TYPE.items() if name not in _FORMS}

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
    form = _FORMS.get(stored.name)
    try:
        if form is None:
            envelope, form = _decode_retired(stored, upcasters)
        else:
            # Rounding up a long fraction would reach the next second: cut it before.
            long = state.find(b".", _AFTER_RECORDED_AT) > 0 and b".999999" in state
            envelope = form.decode(_cut(state) if long else state)
        data = envelope.data
        fact: Fact = data if form.to_fact is None else form.to_fact(data)
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
            _seconds(envelope.time),
            fact,
            _content_digest(head, time_text, content),
            None if recorded is None else (recorded - _EPOCH) // _MICROSECOND,
        )
        event.__class__ = Event
        return event
    except (ValueError, msgspec.MsgspecError) as error:
        where = f"{stored.stream_id} version {stored.version} ({stored.name})"
        raise UndecodableEvent(f"stored event {where} cannot be read: {error}") from error


def _cut(state: bytes) -> bytes:
    return _FRACTION.sub(rb"\1", state)


def _decode_retired(stored: StoredEvent, upcasters: Upcasters) -> tuple[_Envelope[Any], _Form]:
    raw = msgspec.json.decode(_cut(stored.state))
    name, seen = stored.name, set[str]()
    while name not in _FORMS:
        if name in seen or name not in upcasters:
            raise UndecodableEvent(f"no event type and no upcaster is named {name!r}")
        seen.add(name)
        name, upcast = upcasters[name]
        raw["data"] = upcast(raw["data"])
    form = _FORMS[name]
    envelope: _Envelope[Any] = msgspec.convert(raw, form.envelope)
    return envelope, form
