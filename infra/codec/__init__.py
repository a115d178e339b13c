"""Stored bytes to domain events and back: one envelope form, stable names, a chain of hashes."""

from __future__ import annotations

from infra.codec.chain import link, previous_link
from infra.codec.content import canonical_json, canonical_number, content_digest, sorted_json
from infra.codec.decoding import UPCASTERS, Upcasters, decode_event
from infra.codec.envelope import encode_state
from infra.codec.faults import UndecodableEvent
from infra.codec.histories import EventRow, decode_history
from infra.codec.instants import instant, instant_text, utc_text
from infra.codec.names import event_key, split_stream_id, stream_id
from infra.codec.unfrozen import unfrozen

__all__ = [
    "UPCASTERS",
    "EventRow",
    "UndecodableEvent",
    "Upcasters",
    "canonical_json",
    "canonical_number",
    "content_digest",
    "decode_event",
    "decode_history",
    "encode_state",
    "event_key",
    "instant",
    "instant_text",
    "link",
    "previous_link",
    "sorted_json",
    "split_stream_id",
    "stream_id",
    "unfrozen",
    "utc_text",
]
