"""Cursors: where a page ends, as a text that nobody needs to read.

A cursor bears a digest over its place, the resource and the filters: one that was changed, or that
is of another question, is refused instead of answered wrongly. It grants nothing; who may see what
is asked anew for every page.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final, TypeVar

import msgspec

from services.api.faults import NoSuchPage

T = TypeVar("T")
DIGEST_BYTES: Final = 8


def sealed(resource: str, filters: Mapping[str, Any], place: Any) -> str:
    """The cursor of a place."""
    packed = msgspec.msgpack.encode(place)
    return urlsafe_b64encode(_digest(resource, filters, packed) + packed).rstrip(b"=").decode()


def unsealed(
    cursor: str | None, resource: str, filters: Mapping[str, Any], kind: type[T]
) -> T | None:
    """The place of a cursor, None without one. Raises NoSuchPage."""
    if cursor is None:
        return None
    try:
        whole = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        digest, packed = whole[:DIGEST_BYTES], whole[DIGEST_BYTES:]
        if digest != _digest(resource, filters, packed):
            raise ValueError
        return msgspec.msgpack.decode(packed, type=kind)
    except (ValueError, msgspec.DecodeError):
        raise NoSuchPage from None


def _digest(resource: str, filters: Mapping[str, Any], packed: bytes) -> bytes:
    asked = sorted((name, value) for name, value in filters.items() if value is not None)
    whole = msgspec.msgpack.encode((resource, asked, packed))
    return blake2b(whole, digest_size=DIGEST_BYTES, person=b"caretally-cursor").digest()
