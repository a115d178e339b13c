"""What shows, without the database, that a packet's events are in the sealed log.

A packet holds the events that bear on its month as they are stored. Beside them go the last
checkpoint's note and each event's way to its root, so that the log's public key is all it takes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from infra.eventstore import MemoryStore
from infra.eventstore.transparency import LogTree
from infra.transparency import Checkpoint, checkpoint_of, event_leaf, is_included, text_of
from projections.ports import Store, StoredEvent
from services.audit.proving import inclusions

CHECKPOINT: Final = "checkpoint.txt"
INCLUSION: Final = "inclusion.ndjson"


def attestation(store: Store, events: Sequence[StoredEvent]) -> dict[str, bytes]:
    """The files by name: a checkpoint and one line an event. None of both where no checkpoint was
    made, as of a store in memory; an event younger than the last one has no line."""
    if isinstance(store, MemoryStore):
        return {}
    last = LogTree(store).last_checkpoint()
    if last is None:
        return {}
    checkpoint = checkpoint_of(text_of(last.note))
    sealed = [event for event in events if event.position <= checkpoint.size]
    lines = [
        {
            "version": proof.event.version,
            "position": proof.event.position,
            "key": proof.event.key.hex(),
            "path": [step.hex() for step in proof.path],
        }
        for proof in inclusions(store, sealed, checkpoint)
    ]
    written = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines)
    return {CHECKPOINT: last.note.encode(), INCLUSION: written.encode()}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event is in the log, and the way from there to the root."""

    version: int
    position: int
    key: bytes
    path: tuple[bytes, ...]


def places_of(lines: Iterable[bytes]) -> Iterator[Place]:
    """The lines of the inclusion file. Raises ValueError for one out of form."""
    for line in lines:
        try:
            said: Mapping[str, Any] = json.loads(line)
            path = tuple(bytes.fromhex(step) for step in said["path"])
            key = bytes.fromhex(said["key"])
            yield Place(int(said["version"]), int(said["position"]), key, path)
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{INCLUSION}: a line is no proof") from None


def is_sealed(
    stream_id: str, name: str, state: bytes, place: Place, checkpoint: Checkpoint
) -> bool:
    """Whether an event of this name and state, at this place, is under the checkpoint's root."""
    event = StoredEvent(stream_id, place.version, name, state, place.key, place.position)
    leaf = event_leaf(event)
    return is_included(leaf, place.position - 1, checkpoint.size, place.path, checkpoint.root)
