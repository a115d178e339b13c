"""What a message decodes to."""

from __future__ import annotations

from msgspec import Struct

from domain.event import Event
from domain.rejections import Rejection


class Accepted(Struct, frozen=True, gc=False):
    """An event fit to be stored.

    `name` is the event type, `time_text` the `time` attribute as it was written, `data` the
    canonical JSON of the sender's own `data`, unknown members included.
    """

    event: Event
    name: str
    time_text: str
    data: bytes


Decoded = Accepted | Rejection
