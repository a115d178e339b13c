"""Shares of a file: which of its lines each of several processes takes, and in which parts.

Lines of one patient go to one share, so that no two processes fold the same history. That is for
speed alone: whoever takes a line, the store decides what is new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BufferedReader
from typing import Final, NamedTuple
from zlib import crc32

LARGE_BYTES_MIN: Final = 16 * 1_048_576
"""A file of more than this is worth several processes, and parts."""

_PACKED: Final = b"\x1f\x8b"
_PACKED_TO: Final = 10
"""About how often a packed file of events is smaller."""

_SUBJECT: Final = b'"subject":'


class Share(NamedTuple):
    """One of `of` shares, counted from 0."""

    number: int
    of: int

    def parts_of(self, lines: Iterable[bytes], count: int) -> Iterator[int | None]:
        """Which of so many parts of this share each line is of; None where it is of another share.
        What names no subject plainly is of the first part of the first."""
        number, of = self
        if of * count == 1:
            yield from (0 for _ in lines)
            return
        for text in lines:
            subject = text.partition(_SUBJECT)[2].split(b'"', 2)
            place = crc32(subject[1]) if len(subject) == 3 else 0
            yield place // of % count if place % of == number else None

    def parts(self, count: int) -> list[Share]:
        """This share as so many smaller ones, in the order of `parts_of`."""
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
