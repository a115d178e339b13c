"""One inbound message to one domain event, or to the reason why not. Nothing here ever raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from domain.event import Event
from domain.facts import CLOCK_SOURCE, Fact, Instant
from domain.rejections import Reason, Rejection
from infra.codec import canonical_json, content_digest, unfrozen
from services.wire import json_text, modes, quick
from services.wire.accepted import Accepted as Accepted
from services.wire.accepted import Decoded as Decoded
from services.wire.bare import bare_entry
from services.wire.complaints import rejection_of, rejections_of
from services.wire.envelope import ATTRIBUTES, ENVELOPE_OF_TYPE
from services.wire.refusal import Refused, missing, refused, token
from services.wire.work import check_not_ahead

_VALIDATE = {
    name: model.__pydantic_validator__.validate_python for name, model in ENVELOPE_OF_TYPE.items()
}
_UnfrozenEvent = unfrozen(Event)


def decode_message(value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Decoded:
    """A Kafka message by the CloudEvents Kafka binding: structured, or binary with `ce_` headers.

    Structured when the content type says so, or when there are no `ce_` headers at all; batches
    are refused. A message without a value is a deletion marker, never an event.
    """
    try:
        return _of_message(value, headers)
    except Refused as refusal:
        return refusal.rejection


def decode_structured(raw: bytes) -> Decoded:
    """A whole CloudEvent as one JSON object."""
    try:
        return _of_text(raw)
    except Refused as refusal:
        return refusal.rejection


def decode_binary(attributes: Mapping[str, str], raw: bytes) -> Decoded:
    """A CloudEvent whose attributes came beside its `data`, without their `ce_` or `ce-` prefix."""
    try:
        return _of_binary(attributes, raw)
    except Refused as refusal:
        return refusal.rejection


def decode_document(document: Mapping[str, Any], history: bool = False) -> Decoded:
    """A CloudEvent that a translation made; `history` where its message was marked so."""
    try:
        return _of_document(dict(document), history)
    except Refused as refusal:
        return refusal.rejection


def faults_of(document: Mapping[str, Any]) -> list[Rejection]:
    """Everything that is wrong with a CloudEvent which a person's form was made into; none where
    it would be accepted. What members are only beside each other shows once each is right."""
    try:
        name = _type_of(dict(document))
        envelope = _VALIDATE[name](dict(document))
        check_not_ahead(envelope.data.fact(), envelope.time)
    except ValidationError as error:
        return rejections_of(error, ENVELOPE_OF_TYPE[name])
    except Refused as refusal:
        return [refusal.rejection]
    return []


def _of_message(value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Decoded:
    if not headers and value is not None:
        return _of_text(value)
    history = modes.is_history(headers)
    mode, attributes = modes.content_mode(headers)
    if value is None:
        raise refused(Reason.NOT_CLOUDEVENT, "", "an event", "a message without a value")
    if mode is modes.Mode.BINARY:
        return _of_binary(attributes, value, history)
    return _of_text(value, history)


def _of_binary(attributes: Mapping[str, str], raw: bytes, history: bool = False) -> Decoded:
    document: dict[str, Any] = {name: attributes[name] for name in ATTRIBUTES if name in attributes}
    document["data"] = json_text.parse(raw, "data")
    return _of_document(document, history)


def _of_text(raw: bytes, history: bool = False) -> Decoded:
    is_plain = quick.is_plain(raw)
    if is_plain and (entry := bare_entry(raw, history)) is not None:
        return entry
    document = json_text.parse(raw)
    if is_plain and type(document) is dict and document.get("type") == quick.NAME:
        found = quick.plain_entry(document)
        if found is not None:
            return _accepted(document, quick.NAME, *found, None, history)
    return _of_document(document, history)


def _of_document(document: Any, history: bool = False) -> Decoded:
    if type(document) is not dict:
        raise refused(Reason.NOT_CLOUDEVENT, "", "a JSON object", token(document))
    name = _type_of(document)
    try:
        envelope = _VALIDATE[name](document)
    except ValidationError as error:
        return rejection_of(error, ENVELOPE_OF_TYPE[name])
    if envelope.source == CLOCK_SOURCE:
        raise refused(Reason.INVALID_MEMBER, "source", "a sender's own", token(CLOCK_SOURCE))
    fact = envelope.data.fact()
    check_not_ahead(fact, envelope.time)
    history = history or bool(envelope.backfill)
    return _accepted(document, name, envelope, fact, envelope.time, envelope.recordedtime, history)


def _accepted(
    document: dict[str, Any],
    name: str,
    envelope: Any,
    fact: Fact,
    time: Instant,
    recorded_at_us: int | None,
    history: bool,
) -> Accepted:
    time_text = document["time"]
    data = _canonical(document["data"])
    practice, patient = envelope.practiceid, envelope.subject
    digest = content_digest(practice, patient, name, time_text, data)
    event: Event = _UnfrozenEvent(
        practice,
        patient,
        envelope.source,
        envelope.id,
        time,
        fact,
        digest,
        recorded_at_us,
        history,
    )
    event.__class__ = Event
    return Accepted(event, name, time_text, data)


def _canonical(data: dict[str, Any]) -> bytes:
    try:
        return canonical_json(data)
    except (ValueError, OverflowError):
        expected = "numbers that can be written down again"
        raise refused(Reason.INVALID_MEMBER, "data", expected, "others") from None


def _type_of(document: dict[str, Any]) -> str:
    """The event type, once the document is known to be a CloudEvent of version 1.0."""
    version = document.get("specversion")
    if version != "1.0":
        found = "none" if version is None else token(version)
        raise refused(Reason.NOT_CLOUDEVENT, "specversion", "'1.0'", found)
    name = document.get("type")
    if name is None:
        raise missing("type", "one of the event types of the contract")
    if type(name) is not str:
        raise refused(Reason.INVALID_MEMBER, "type", "a string", token(name))
    if name not in ENVELOPE_OF_TYPE:
        raise refused(Reason.UNKNOWN_TYPE, "type", "an event type of the contract", token(name))
    return name
