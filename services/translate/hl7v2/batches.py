"""Batches: messages between FHS, BHS, BTS and FTS, and files of messages one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

HEADERS: Final = (b"FHS", b"BHS")
TRAILER: Final = b"BTS"
AROUND: Final = (*HEADERS, TRAILER, b"FTS")
_BEGIN: Final = re.compile(rb"(?:\A|(?<=[\r\n\x0b]))(?=(?:MSH|FHS|BHS|BTS|FTS)[^\w\s])")
_BLANK: Final = b"\x0b\x1c\r\n\t "


class Batches:
    """A run of bytes, piece by piece: its messages, without what stands around them.

    Bytes before the first message that are none of a batch are a piece too: nothing is dropped. So
    is the end of a batch that says another number of messages than there were.
    """

    def __init__(self) -> None:
        self._messages = 0

    def messages(self, value: bytes) -> Iterator[bytes]:
        """The pieces of the next bytes, which begin where the last ones ended."""
        cuts = [found.start() for found in _BEGIN.finditer(value)]
        begins = [0, *(cut for cut in cuts if cut)]
        for begin, end in zip(begins, [*begins[1:], len(value)], strict=True):
            piece = value[begin:end].strip(_BLANK)
            if piece.startswith(b"BHS"):
                self._messages = 0
            if not piece.startswith(AROUND):
                self._messages += bool(piece)
            elif not (piece.startswith(TRAILER) and self._lacks(piece)):
                continue
            if piece:
                yield piece

    def _lacks(self, trailer: bytes) -> bool:
        """Whether BTS-1 says another number of messages; it may say none."""
        said = trailer.split(trailer[3:4] or b"|")[1:2]
        counted, self._messages = self._messages, 0
        return bool(said) and said[0].strip().isdigit() and int(said[0][:9]) != counted


def messages_in(value: bytes) -> Iterator[bytes]:
    """The pieces of bytes that are whole."""
    return Batches().messages(value)


def is_single(value: bytes) -> bool:
    """Whether the bytes are one message at most; quick for those that are."""
    if value.startswith(b"MSH") and b"BTS" not in value and b"FTS" not in value:
        return value.find(b"MSH", 3) < 0 or len(_BEGIN.findall(value)) <= 1
    return not value.startswith(HEADERS) and len(_BEGIN.findall(value)) <= 1


def begin_of_last(value: bytes) -> int:
    """Where the last message or header begins, 0 where there is none behind the first byte."""
    return max((found.start() for found in _BEGIN.finditer(value)), default=0)
