"""The chain of hashes over a stream: a changed, missing or swapped event breaks it."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from infra.codec.faults import BrokenChain, UndecodableEvent
from projections.ports import StoredEvent


def link(stream_id: str, version: int, name: str, state: bytes) -> bytes:
    """SHA-256 of a stored event: what the next event of the stream has as `previous`."""
    head = f"{len(stream_id)}:{stream_id}{version}:{len(name)}:{name}".encode()
    return sha256(head + state).digest()


def previous_link(state: bytes) -> bytes | None:
    """The predecessor's link that an envelope claims; None for the first of a stream."""
    begin = state.find(b',"previous":') + 12
    if begin == 11:
        raise UndecodableEvent("envelope has no member 'previous'")
    if state.startswith(b"null", begin):
        return None
    try:
        return bytes.fromhex(state[begin + 1 : begin + 65].decode())
    except ValueError:
        raise UndecodableEvent("envelope member 'previous' is not a hash in hex") from None


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
