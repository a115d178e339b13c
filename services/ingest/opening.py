"""What the deliveries of a batch hold: events of ours as they come, or a foreign form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from msgspec import Struct

from domain.rejections import Rejection
from infra.codec import event_key, stream_id
from projections.ports import DeadLetter, TakenResource
from services.wire.decode import Accepted, decode_message


class Delivery(Struct, frozen=True, gc=False):
    """One message as a door received it. `origin` names the door and place for dead letters.

    `letter_id` is that of the dead letter which is put in again, 0 where the message comes for
    the first time. Taken, the letter is marked so in the same transaction; refused again, it stays
    as it is and no second one is made of it.
    """

    value: bytes | None
    key: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    origin: str
    letter_id: int = 0


class Incoming(Struct, frozen=True, gc=False):
    """A decoded event with the two names the store knows it by; `piece` is its piece's index."""

    piece: int
    accepted: Accepted
    stream_id: str
    key: bytes


@dataclass(slots=True)
class Opened:
    """A batch ready to be folded.

    A piece is what is taken or refused as one: a delivery, or one resource of a bundle. Where a
    delivery is one piece, `whose` is None; else it has the delivery's index for each piece.
    """

    pieces: Sequence[Delivery]
    results: list[Rejection | None] = field(default_factory=list)
    incoming: list[Incoming] = field(default_factory=list)
    whose: Sequence[int] | None = None
    resources: list[tuple[int, TakenResource]] = field(default_factory=list)
    """With the index of the piece that it was, -1 where it holds whatever becomes of pieces."""
    ignored: Counter[str] = field(default_factory=Counter)
    """Pieces that hold nothing of ours, by why."""
    refused: Mapping[int, Rejection] = field(default_factory=dict)
    """Pieces that were refused when the batch was folded before, by index."""

    def refused_late(self, results: Sequence[Rejection | None]) -> dict[int, Rejection]:
        """Pieces of a foreign form that opening took and folding refused."""
        found: dict[int, Rejection] = {}
        for index, _ in self.resources:
            late = results[index] if index >= 0 and self.results[index] is None else None
            if late is not None and index not in self.refused:
                found[index] = late
        return found

    def add(self, index: int, accepted: Accepted) -> None:
        """An event of a piece."""
        event = accepted.event
        stream = stream_id(event.practice_id, event.patient_id)
        key = event_key(event.source, event.id)
        self.incoming.append(Incoming(index, accepted, stream, key))

    def by_delivery(
        self, results: list[Rejection | None], deliveries: int
    ) -> list[Rejection | None]:
        """What became of each delivery: of several refused pieces the first one's refusal."""
        if self.whose is None:
            return results
        found: list[Rejection | None] = [None] * deliveries
        for delivery, result in zip(self.whose, results, strict=True):
            found[delivery] = found[delivery] or result
        return found

    def taken(self, results: Sequence[Rejection | None]) -> list[TakenResource]:
        """Of each resource what was taken last, one revision beyond what is stored."""
        last: dict[str, TakenResource] = {}
        for index, row in self.resources:
            if index < 0 or results[index] is None:
                number = last[row.key].revision if row.key in last else row.revision
                last[row.key] = replace(row, revision=number)
        return list(last.values())


class Opener(Protocol):
    """Knows a foreign form."""

    def knows(self, delivery: Delivery) -> bool:
        """Whether the delivery is in that form. Asked of every delivery: it must be quick."""

    def open(self, deliveries: Sequence[Delivery], refused: Mapping[int, Rejection]) -> Opened:
        """Open a batch of which some are in that form, and refuse these pieces of it. It reads the
        store, and raises what an outage raises, and nothing else whatever is in the deliveries."""


def open_native(deliveries: Sequence[Delivery]) -> Opened:
    """Open a batch in which every delivery is one event of ours."""
    opened = Opened(deliveries, [None] * len(deliveries))
    for index, delivery in enumerate(deliveries):
        decoded = decode_message(delivery.value, delivery.headers)
        if isinstance(decoded, Rejection):
            opened.results[index] = decoded
        else:
            opened.add(index, decoded)
    return opened


def dead_letter(delivery: Delivery, rejection: Rejection, received_at_us: int) -> DeadLetter:
    """A refused delivery, whole, with the reason."""
    return DeadLetter(
        origin=delivery.origin,
        reason=rejection.reason.value,
        field=rejection.field,
        sentence=rejection.sentence,
        value=delivery.value,
        key=delivery.key,
        headers=delivery.headers,
        received_at_us=received_at_us,
        waits_for=rejection.waits_for,
    )
