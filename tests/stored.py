"""Events of the domain as they lie in a log: encoded, named, linked."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain import facts as f
from domain.event import Event
from infra import codec
from projections.ports import StoredEvent

RECORDED_AT_US = 1_741_190_400_000_000
_NAMES = {fact: name for name, fact in f.FACT_OF_TYPE.items()}


def stream(events: Iterable[Event]) -> list[StoredEvent]:
    """One patient's events in this order, as its stream."""
    stored: list[StoredEvent] = []
    previous: bytes | None = None
    for version, event in enumerate(events, 1):
        where = codec.stream_id(event.practice_id, event.patient_id)
        name = _NAMES[type(event.fact)]
        state = codec.encode_state(
            source=event.source,
            id=event.id,
            time_text=_text(event.time),
            recorded_at_us=RECORDED_AT_US + version,
            previous=previous,
            data=codec.canonical_json(_data(event.fact)),
        )
        key = codec.event_key(event.source, event.id)
        stored.append(StoredEvent(where, version, name, state, key))
        previous = codec.link(where, version, name, state)
    return stored


def _text(instant: f.Instant) -> str:
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _data(fact: f.Fact) -> dict[str, Any]:
    """The contract's data of a fact."""
    data: dict[str, Any] = msgspec.to_builtins(fact)
    work = data.pop("work", None)
    if work is not None:
        data |= {k: _text(v) if k.endswith("_at") else v for k, v in work.items()}
    if isinstance(fact, f.ServiceBilled):
        data["from"], data["through"] = data.pop("from_on"), data.pop("through_on")
    return {name: value for name, value in data.items() if value is not None}
