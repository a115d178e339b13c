"""What runs in the background of a serving process, and how it tells of itself."""

from __future__ import annotations

from typing import Protocol


class Background(Protocol):
    """Work that goes on by itself: begun in the background, waits out every outage, can be ended.

    Blocking calls of the store belong into a thread of its own; the event loop serves everybody.
    """

    @property
    def name(self) -> str:
        """How health and metrics call it: short, the same after every start, about no patient."""

    async def start(self) -> None:
        """Begin, and return at once."""

    async def stop(self) -> None:
        """Finish what is begun, within three seconds, and end. Idempotent."""

    def ready(self) -> tuple[bool, str]:
        """Whether it does its work, and what stands in the way if not."""


class Reactor(Background, Protocol):
    """Tells the world of what is stored, from a forward-only delivery ledger of its own.

    `stop` first delivers what is stored already, as far as the world can be reached; the rest is
    delivered after the next start.
    """

    sent: int
    """Deliveries acknowledged since the start."""
    outage: str
    """The class of the fault that holds delivery back; empty when there is none."""
