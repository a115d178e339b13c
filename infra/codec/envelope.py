"""The stored envelope: compact JSON, members in a fixed order, `data` last and canonical.

So content can be hashed by slicing the stored bytes. A quote inside a JSON string is always
escaped; therefore the first unescaped `,"time":"` and `,"data":` are the envelope's own.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec

from infra.codec.instants import utc_text

Data = TypeVar("Data")


class _State(msgspec.Struct, gc=False):
    recorded_at: str | None
    source: str
    id: str
    time: str
    previous: str | None
    data: msgspec.Raw


class _HistoryState(msgspec.Struct, gc=False):
    """The same for what was imported as history; unmarked events keep their bytes."""

    recorded_at: str | None
    source: str
    id: str
    time: str
    previous: str | None
    history: bool
    data: msgspec.Raw


class Envelope(msgspec.Struct, Generic[Data], gc=False):
    """What decoding needs of an envelope; the link to the predecessor is not part of the fact."""

    source: str
    id: str
    time: datetime
    data: Data
    recorded_at: datetime | None = None
    history: bool = False


_ENCODER = msgspec.json.Encoder()


def encode_state(
    *,
    source: str,
    id: str,
    time_text: str,
    recorded_at_us: int | None,
    previous: bytes | None,
    data: bytes,
    history: bool = False,
) -> bytes:
    """The stored envelope. `data` is canonical JSON; `previous` the predecessor's `link`.

    `recorded_at_us` is in microseconds since the epoch, None when it is not known; `history` marks
    what was imported as history.
    """
    recorded_at = None if recorded_at_us is None else utc_text(recorded_at_us)
    linked = None if previous is None else previous.hex()
    raw = msgspec.Raw(data)
    if history:
        marked = _HistoryState(recorded_at, source, id, time_text, linked, True, raw)
        return _ENCODER.encode(marked)
    return _ENCODER.encode(_State(recorded_at, source, id, time_text, linked, raw))
