"""The chain of every stream, followed plainly: what the product's own walk is held against."""

from __future__ import annotations

from collections.abc import Iterable

from infra.codec import UndecodableEvent, link, previous_link
from projections.ports import StoredEvent


class BrokenChain(ValueError):
    """A stream whose stored bytes are not the ones that were linked when they were written."""

    def __init__(self, stream_id: str, version: int, why: str) -> None:
        """`version` is the first event of the stream at which the chain does not hold."""
        super().__init__(f"stream {stream_id} is broken at version {version}: {why}")
        self.stream_id = stream_id
        self.version = version


def verify_chain(events: Iterable[StoredEvent]) -> None:
    """Recompute the chain of each stream, events in order of version.

    Raises BrokenChain at the first event whose version or link does not follow its predecessor.
    A stream may begin anywhere; only a beginning at version 1 is checked to be one.
    """
    heads: dict[str, tuple[int, bytes]] = {}
    for event in events:
        _follow(event, heads.get(event.stream_id))
        own = link(event.stream_id, event.version, event.name, event.state)
        heads[event.stream_id] = (event.version, own)


def _follow(event: StoredEvent, head: tuple[int, bytes] | None) -> None:
    try:
        claimed = previous_link(event.state)
    except UndecodableEvent as error:
        raise BrokenChain(event.stream_id, event.version, str(error)) from None
    if head is None:
        if (event.version == 1) != (claimed is None):
            raise BrokenChain(event.stream_id, event.version, "only version 1 has no predecessor")
    elif event.version != head[0] + 1:
        raise BrokenChain(event.stream_id, event.version, f"it follows version {head[0]}")
    elif claimed != head[1]:
        raise BrokenChain(event.stream_id, event.version, "its predecessor has another hash")
