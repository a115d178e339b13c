"""Checkpoints: how large the log was at a time, and the root hash over everything in it.

The text is C2SP's checkpoint (https://c2sp.org/tlog-checkpoint): origin, size and root hash, then
two lines of our own: when it was made, and where the access log stood.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from infra.codec import utc_text
from infra.transparency.merkle import HASH_BYTES
from infra.transparency.notes import NoteError

_TIME = "time "
_ACCESS = "access "


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What one note says. `accesses` and `access_head` are the access log's length and the hash
    that its last entry ends with (empty where it has none); `time` is RFC 3339 in UTC."""

    origin: str
    size: int
    root: bytes
    time: str
    accesses: int
    access_head: bytes

    def text(self) -> str:
        head = _b64(self.access_head) or "-"
        lines = (
            self.origin,
            str(self.size),
            _b64(self.root),
            f"{_TIME}{self.time}",
            f"{_ACCESS}{self.accesses} {head}",
        )
        return "".join(f"{line}\n" for line in lines)


def checkpoint_at(
    origin: str, size: int, root: bytes, at_us: int, accesses: int, access_head: bytes
) -> Checkpoint:
    """`at_us`: microseconds since the epoch."""
    return Checkpoint(origin, size, root, utc_text(at_us), accesses, access_head)


def checkpoint_of(text: str) -> Checkpoint:
    """What a note's text says. Raises NoteError."""
    lines = text.split("\n")
    if len(lines) != 6 or lines[-1] or not lines[3].startswith(_TIME):
        raise NoteError("expected a checkpoint: origin, size, root hash, time and access log")
    count, _, head = lines[4].removeprefix(_ACCESS).partition(" ")
    if not lines[4].startswith(_ACCESS):
        raise NoteError("expected the access log's state in the fifth line of a checkpoint")
    return Checkpoint(
        origin=lines[0],
        size=_number(lines[1]),
        root=_hash(lines[2]),
        time=lines[3].removeprefix(_TIME),
        accesses=_number(count),
        access_head=b"" if head == "-" else _hash(head),
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or (len(text) > 1 and text[0] == "0"):
        raise NoteError("expected a decimal number in a checkpoint")
    return int(text)


def _hash(text: str) -> bytes:
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != HASH_BYTES:
        raise NoteError(f"expected a hash of {HASH_BYTES} bytes in base64 in a checkpoint")
    return found


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
