"""A stored event back to the CloudEvent it came as, with the time at which it was first stored.

What is exported decodes to an equal digest: `data` and `time` are the sender's own, only spaces
and the order of members may differ from what once arrived.
"""

from __future__ import annotations

import msgspec

from infra.codec import UndecodableEvent, split_stream_id
from projections.ports import StoredEvent


class _State(msgspec.Struct, gc=False):
    """The members of a stored envelope that a CloudEvent repeats."""

    source: str
    id: str
    time: str
    data: msgspec.Raw
    recorded_at: str | None = None
    history: bool = False


class _CloudEvent(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """The contract's structured form; the order here is the order in the file."""

    specversion: str
    id: str
    source: str
    type: str
    practiceid: str
    subject: str
    time: str
    recordedtime: str | None = None
    backfill: bool = False
    data: msgspec.Raw


_STATE = msgspec.json.Decoder(_State)
_ENCODER = msgspec.json.Encoder()


def to_cloudevent(stored: StoredEvent) -> bytes:
    """The structured CloudEvent, one line of JSON without its line end.

    `recordedtime` has microseconds; it is left out when the log does not know it. `backfill` is
    there only where the event is marked as history.
    Raises `infra.codec.UndecodableEvent` when the stored bytes are out of form.
    """
    try:
        state = _STATE.decode(stored.state)
        practice_id, patient_id = split_stream_id(stored.stream_id)
    except (ValueError, msgspec.MsgspecError) as error:
        where = f"{stored.stream_id} version {stored.version} ({stored.name})"
        raise UndecodableEvent(f"stored event {where} cannot be exported: {error}") from error
    return _ENCODER.encode(
        _CloudEvent(
            specversion="1.0",
            id=state.id,
            source=state.source,
            type=stored.name,
            practiceid=practice_id,
            subject=patient_id,
            time=state.time,
            recordedtime=state.recorded_at,
            backfill=state.history,
            data=state.data,
        )
    )
