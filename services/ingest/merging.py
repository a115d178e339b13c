"""What merged records owe, in the transaction of whatever makes them owe it."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from domain.event import Event, EventKey
from domain.facts import EventRetracted
from domain.merging import CARRIED_SOURCE, Owed, owed, targets
from domain.patient import Patient
from domain.rejections import Reason, Rejection
from infra.codec import canonical_json, content_digest, decode_event, instant_text, stream_id
from projections.ports import StoredEvent
from services.ingest.patients import HotPatient
from services.wire.decode import Accepted

SECOND_US = 1_000_000
RETRACTED = "event.retracted.v1"


class Past(Protocol):
    """Patients and histories that a batch is not about."""

    def patient(self, stream: str) -> HotPatient: ...

    def history(self, stream: str) -> list[StoredEvent]: ...


class Appending(Protocol):
    """The batch that what is owed is appended to."""

    def patient(self, stream: str) -> HotPatient: ...

    def stored(self, stream: str) -> list[StoredEvent]: ...

    def appended(self, stream: str) -> list[StoredEvent]: ...

    def carry(self, accepted: Accepted, stream: str) -> None: ...


class _Said(msgspec.Struct, gc=False):
    """Of a stored event, what is told again as it was."""

    time: str
    data: msgspec.Raw


_said = msgspec.json.Decoder(_Said).decode


def carry_over(batch: Appending, merged: Collection[str], whole: Collection[str]) -> None:
    """Append what these merged patients owe to those whom they were merged into, and so on from
    there: of what the batch appended to them, and of those in `whole`, about whose merge itself
    something was said, of everything."""
    waiting = deque(merged)
    while waiting:
        stream = waiting.popleft()
        losing = batch.patient(stream).live.patient
        if not losing.merges:
            continue
        stored = batch.stored(stream) if stream in whole else batch.appended(stream)
        history = {event.key: (event, each) for each in stored for event in [decode_event(each)]}
        for into in targets(losing):
            heir = stream_id(losing.practice_id, into)
            if _pay(batch, losing, history, heir):
                waiting.append(heir)


History = Mapping[EventKey, tuple[Event, StoredEvent]]


def _pay(batch: Appending, losing: Patient, history: History, heir: str) -> bool:
    """Append what one patient owes another; whether it was anything."""
    stays = batch.patient(heir).live.patient
    found = list(owed(losing, (event for event, _ in history.values()), stays))
    for each in found:
        stored = None if each.of is None else history[each.of.key][1]
        batch.carry(_accepted(each, stays, stored), heir)
    return bool(found)


def _accepted(owed: Owed, stays: Patient, stored: StoredEvent | None) -> Accepted:
    """What is owed as an event of the patient who stays."""
    if stored is None:
        name, time_text = RETRACTED, instant_text(owed.time * SECOND_US)
        data = _retraction(owed)
    else:
        said = _said(stored.state)
        name, time_text = stored.name, said.time
        data = _retraction(owed) if isinstance(owed.fact, EventRetracted) else bytes(said.data)
    practice, patient = stays.practice_id, stays.patient_id
    digest = content_digest(practice, patient, name, time_text, data)
    event = Event(practice, patient, *owed.key, owed.time, owed.fact, digest, None, owed.history)
    return Accepted(event, name, time_text, data)


def _retraction(owed: Owed) -> bytes:
    fact = owed.fact
    assert isinstance(fact, EventRetracted)
    named = {"event_source": fact.event_source, "event_id": fact.event_id}
    return canonical_json({**named, "reason": fact.reason})


def not_a_senders() -> Rejection:
    """The refusal of an event that says it was carried over: we alone say so."""
    sentence = f"source: expected a sender's own; found {CARRIED_SOURCE!r}."
    return Rejection(Reason.INVALID_MEMBER, sentence, "source")
