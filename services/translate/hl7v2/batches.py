"""Batches: messages between FHS, BHS, BTS and FTS, and files of messages one after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

HEADERS: Final = (b"FHS", b"BHS")
AROUND: Final = (*HEADERS, b"BTS", b"FTS")
_BEGIN: Final = re.compile(rb"(?:\A|(?<=[\r\n\x0b]))(?=(?:MSH|FHS|BHS|BTS|FTS)[^\w\s])")
_BLANK: Final = b"\x0b\x1c\r\n\t "


def messages_in(value: bytes) -> Iterator[bytes]:
    """The messages of a batch or of a run of messages, without what stands around them. Bytes
    before the first message that are none of a batch are a piece too: nothing is dropped."""
    cuts = [found.start() for found in _BEGIN.finditer(value)]
    begins = [0, *(cut for cut in cuts if cut)]
    for begin, end in zip(begins, [*begins[1:], len(value)], strict=True):
        piece = value[begin:end].strip(_BLANK)
        if piece and not piece.startswith(AROUND):
            yield piece


def is_single(value: bytes) -> bool:
    """Whether the bytes are one message at most; quick for those that are."""
    if value.startswith(b"MSH") and not any(value.count(each) for each in (b"BTS", b"FTS")):
        return value.count(b"MSH") == 1 or len(_BEGIN.findall(value)) <= 1
    return not value.startswith(HEADERS) and len(_BEGIN.findall(value)) <= 1


def begin_of_last(value: bytes) -> int:
    """Where the last message or header begins, 0 where there is none behind the first byte."""
    return max((found.start() for found in _BEGIN.finditer(value)), default=0)
