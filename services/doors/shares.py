"""Shares of a file: which of its lines each of several processes takes, and in which parts.

Lines of one patient go to one share, so that no two processes fold the same history. That is for
speed alone: whoever takes a line, the store decides what is new.
"""

from __future__ import annotations

from io import BufferedReader
from typing import Final, NamedTuple
from zlib import crc32

LARGE_BYTES_MIN: Final = 16 * 1_048_576
"""A file of more than this is worth several processes, and parts."""

_PACKED: Final = b"\x1f\x8b"
_PACKED_TO: Final = 10
"""About how often a packed file of events is smaller."""

_SUBJECT: Final = b'"subject":'
_SUBJECT_BYTES: Final = len(_SUBJECT)


class Share(NamedTuple):
    """One of `of` shares, counted from 0."""

    number: int
    of: int

    def part_of(self, text: bytes, count: int) -> int | None:
        """Which of so many parts of this share a line is of; None where it is of another share.
        What names no subject plainly is of the first part of the first."""
        of = self.of
        if of * count == 1:
            return 0
        place = 0
        at = text.find(_SUBJECT)
        if at >= 0:
            first = text.find(b'"', at + _SUBJECT_BYTES) + 1
            place = crc32(text[first : text.find(b'"', first)])
        return place // of % count if place % of == self.number else None

    def parts(self, count: int) -> list[Share]:
        """This share as so many smaller ones, in the order of `part_of`."""
        return [Share(self.number + self.of * n, self.of * count) for n in range(count)]

    def feed(self, whole: str) -> str:
        """The name under which the store keeps how far this share was taken."""
        return whole if self.of == 1 else f"{whole}/{self.number + 1}of{self.of}"


WHOLE: Final = Share(0, 1)


def is_large(file: BufferedReader) -> bool:
    """Whether an open file is worth shares; leaves it at its start."""
    packed = file.read(2) == _PACKED
    size_bytes = file.seek(0, 2) * (_PACKED_TO if packed else 1)
    file.seek(0)
    return size_bytes > LARGE_BYTES_MIN
