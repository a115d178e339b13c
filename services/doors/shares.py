"""Shares of a file: which of its lines each of several processes takes.

Lines of one patient go to one share, so that no two processes fold the same history. That is for
speed alone: whoever takes a line, the store decides what is new.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from zlib import crc32

_SUBJECT: Final = b'"subject":'


class Share(NamedTuple):
    """One of `of` shares, counted from 0."""

    number: int
    of: int

    def holds(self, text: bytes) -> bool:
        """Whether a line is of this share. What names no subject plainly is of the first."""
        if self.of == 1:
            return True
        at = text.find(_SUBJECT)
        if at < 0:
            return self.number == 0
        first = text.find(b'"', at + len(_SUBJECT)) + 1
        return crc32(text[first : text.find(b'"', first)]) % self.of == self.number

    def feed(self, whole: str) -> str:
        """The name under which the store keeps how far this share was taken."""
        return whole if self.of == 1 else f"{whole}/{self.number + 1}of{self.of}"


WHOLE: Final = Share(0, 1)
