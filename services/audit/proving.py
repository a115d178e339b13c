"""Proofs from the kept tree: an event is in the log, one log is a beginning of another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infra.codec import event_key
from infra.eventstore.transparency import LogTree
from infra.transparency import Checkpoint, consistency_path, event_leaf, inclusion_path, root_hash
from projections.ports import Store, StoredEvent


class Unprovable(ValueError):
    """There is no such proof; says why."""


@dataclass(frozen=True, slots=True)
class Inclusion:
    """The way from an event's leaf to the root over the first `size` events."""

    event: StoredEvent
    size: int
    path: Sequence[bytes]

    def as_json(self) -> dict[str, object]:
        """Everything from which the leaf and the root can be computed anew; hashes in hex."""
        return {
            "stream": self.event.stream_id,
            "version": self.event.version,
            "position": self.event.position,
            "name": self.event.name,
            "key": self.event.key.hex(),
            "state": self.event.state.decode(),
            "leaf": event_leaf(self.event).hex(),
            "size": self.size,
            "path": [step.hex() for step in self.path],
        }


@dataclass(frozen=True, slots=True)
class Consistency:
    """That the log of `first` events is a beginning of the log of `size` events."""

    first: int
    first_root: bytes
    size: int
    root: bytes
    path: Sequence[bytes]

    def as_json(self) -> dict[str, object]:
        return {
            "from": self.first,
            "from_root": self.first_root.hex(),
            "to": self.size,
            "to_root": self.root.hex(),
            "path": [step.hex() for step in self.path],
        }


def event_named(store: Store, source: str, id: str) -> StoredEvent:
    """The stored event of this source and id. Raises Unprovable where there is none."""
    key = event_key(source, id)
    for stream in store.holders([key]).values():
        for event in store.load([stream])[stream].events:
            if event.key == key:
                return event
    raise Unprovable(f"no event has source {source!r} and id {id!r}")


def inclusions(
    store: Store, events: Sequence[StoredEvent], checkpoint: Checkpoint
) -> list[Inclusion]:
    """One proof an event. Raises Unprovable for an event younger than the checkpoint."""
    subtrees, size = LogTree(store).subtrees(), checkpoint.size
    proofs = []
    for event in events:
        if event.position > size:
            raise Unprovable(
                f"position {event.position} is beyond the checkpoint's {size} events: "
                "make a new one with caretally audit checkpoint"
            )
        try:
            path = inclusion_path(event.position - 1, size, subtrees)
        except LookupError:
            raise Unprovable(f"the kept tree has no {size} events") from None
        proofs.append(Inclusion(event, size, path))
    return proofs


def consistency(store: Store, first: int, size: int) -> Consistency:
    """Raises Unprovable for sizes that the kept tree does not have."""
    subtrees = LogTree(store).subtrees()
    try:
        path = consistency_path(first, size, subtrees)
        return Consistency(first, root_hash(first, subtrees), size, root_hash(size, subtrees), path)
    except ValueError as error:
        raise Unprovable(str(error)) from None
    except LookupError:
        sealed = LogTree(store).size()
        raise Unprovable(f"the kept tree has {sealed} events, expected at least {size}") from None
