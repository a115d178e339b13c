"""Which practice a message is for, asked before anything of it is taken.

A sender that is bound to practices sends nothing for another: the whole request is refused, so
that nothing of it is half-applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from services.access import Principal
from services.ingest import Delivery
from services.wire.decode import Accepted, decode_message

_ATTRIBUTE: Final = "ce_practiceid"


class _Envelope(msgspec.Struct):
    practiceid: Any = None


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)


def foreign(principal: Principal, deliveries: Sequence[Delivery]) -> tuple[int, str] | None:
    """The first message for a practice that is none of the principal's: where, and whose.

    One that cannot be read as an event counts by what it claims; one that claims nothing is for
    nobody, and becomes a dead letter like everybody's.
    """
    for index, delivery in enumerate(deliveries):
        for practice in _practices(delivery):
            if not principal.sees(practice):
                return index, practice
    return None


def _practices(delivery: Delivery) -> list[str]:
    """What the message is for as we read it, and every other claim it makes."""
    found = [value.decode("utf-8", "replace") for name, value in delivery.headers
             if name.lower() == _ATTRIBUTE]  # fmt: skip
    decoded = decode_message(delivery.value, delivery.headers)
    if isinstance(decoded, Accepted):
        return [decoded.event.practice_id, *found]
    try:
        claimed = _ENVELOPE.decode(delivery.value or b"").practiceid
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        claimed = None
    return [*found, *([claimed] if isinstance(claimed, str) else [])]
