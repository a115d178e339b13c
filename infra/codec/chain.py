"""The chain of hashes over a stream: a changed, missing or swapped event breaks it."""

from __future__ import annotations

from hashlib import sha256

from infra.codec.faults import UndecodableEvent


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
