"""Who is served with alert transitions, and how far: subscribers, their ledger, and sinks.

A sink or subscriber is served with what is stored after it began. What was there before is
history for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class SubscriberState(StrEnum):
    """Whether a subscriber is served: `paused` by a person, `disabled` by its own answers."""

    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class DeliveryState(StrEnum):
    """Where one delivery stands; `failed` is out of tries and waits for a person."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret (`whsec_` and base64), good until `expires_at_us` where that is given."""

    text: str = field(repr=False)
    expires_at_us: int | None = None


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A webhook's address, its filters, and how far the transitions were read for it.

    Empty filters let everything through. Nothing is sent before `held_until_us`: the endpoint
    asked for it. `answered_at_us` is when it last took something, 0 for never. The newest secret
    comes first.
    """

    id: str
    url: str
    secrets: tuple[Secret, ...]
    practices: tuple[str, ...]
    types: tuple[str, ...]
    read_through: int
    added_at_us: int
    state: SubscriberState = SubscriberState.ACTIVE
    reason: str = ""
    held_until_us: int = 0
    answered_at_us: int = 0

    def wants(self, practice_id: str, type: str) -> bool:
        """Whether the filters let a transition through."""
        return (not self.practices or practice_id in self.practices) and (
            not self.types or type in self.types
        )


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come; `attempts` were made already."""

    position: int
    stream_id: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an attempt came to; `next_at_us` says when to try again, where that is still meant."""

    position: int
    stream_id: str
    state: DeliveryState
    attempts: int
    next_at_us: int | None
    answer: str


class Deliveries(Protocol):
    """Subscribers, what they have been sent, and where sinks began. Safe for several threads."""

    def add(self, subscriber: Subscriber) -> None:
        """Keep a new subscriber with its secrets."""

    def subscribers(self) -> list[Subscriber]:
        """All of them, in order of addition."""

    def set_state(self, subscriber_id: str, state: SubscriberState, reason: str) -> bool:
        """Begin or end serving a subscriber; False when there is none of this id."""

    def hold(self, subscriber_id: str, until_us: int) -> None:
        """Send nothing before this instant."""

    def set_secrets(self, subscriber_id: str, secrets: Sequence[Secret]) -> None:
        """Replace a subscriber's secrets."""

    def remove(self, subscriber_id: str) -> bool:
        """Forget a subscriber, its secrets and its ledger; False when there is none."""

    def enqueue(
        self,
        subscriber_id: str,
        after: int,
        through: int,
        wanted: Sequence[tuple[int, str]],
        now_us: int,
    ) -> bool:
        """Put (position, stream) pairs in the ledger and read on to `through`, in one step.

        False, and nothing is written, when the subscriber was not at `after`. One that is in the
        ledger already stays as it is.
        """

    def due(self, subscriber_id: str, now_us: int, limit: int) -> list[Due]:
        """Pending deliveries whose time has come, never two of one patient."""

    def next_due(self, subscriber_id: str) -> int | None:
        """The instant at which the next delivery is due; None when nothing is pending."""

    def record(self, subscriber_id: str, outcomes: Sequence[Outcome], now_us: int) -> None:
        """Note what attempts came to. Where one ends, the patient's next one is due."""

    def requeue(self, subscriber_id: str, now_us: int) -> int:
        """Make failed deliveries pending again, begin all pending ones anew, lift any hold.

        Returns how many had failed.
        """

    def counts(self, subscriber_id: str) -> dict[str, int]:
        """How many deliveries are pending, and how many failed."""

    def begin(self, sink: str) -> int:
        """The last transition's position when this sink was first begun: now, if it never was."""

    def last_transition(self) -> int:
        """The greatest position of a transition, 0 when there is none."""

    def raised(self, after: int, through: int) -> list[int]:
        """Positions in (`after`, `through`] of transitions whose alert still stands raised."""
