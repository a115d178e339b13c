"""A file's lines in transactions; those of a large file gathered by patient first.

A file of events lies in the order of its days, so every few thousand lines speak of nearly every
patient, and each transaction would answer for nearly every month anew. Of a large file so much is
read ahead as memory allows, and taken in parts, each with its patients: a month is answered for
once in all that was read. Each part's place in the file is a feed of its own.
"""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from services.doors.lines import LINE_BYTES_KEPT, DamagedFile, Stretch
from services.doors.shares import Share

PARTS: Final = 128
"""Of a large file, for each process that takes it."""

AHEAD_BYTES_MAX: Final = 256 * 1_048_576
AHEAD_LINES_MAX: Final = 1_000_000
"""Lines that are held before they are taken."""

BATCH_BYTES_MAX: Final = 8 * 1_048_576
"""A transaction's lines: bounds memory where lines are long."""


def _numbers() -> array[int]:
    return array("q")


@dataclass(slots=True)
class Lines:
    """Some lines in the order of the file, and beside them their numbers: up to a million lines
    are held, and a pair for each would cost time and memory."""

    texts: list[bytes] = field(default_factory=list)
    numbers: array[int] = field(default_factory=_numbers)

    def __len__(self) -> int:
        return len(self.texts)

    def size_bytes(self) -> int:
        return sum(map(len, self.texts))

    def cut(self, first: int, end: int) -> Lines:
        """Those of these places, counted from 0."""
        return Lines(self.texts[first:end], self.numbers[first:end])

    def beyond(self, number: int) -> Lines:
        """Those with higher numbers."""
        return self.cut(bisect_right(self.numbers, number), len(self))


@dataclass(slots=True)
class Part:
    """Some of the patients: how far their lines were taken before, and those held now."""

    feed: str
    done: int
    lines: Lines = field(default_factory=Lines)


@dataclass(slots=True)
class Piece:
    """Lines for one transaction, by the feed of their part.

    `lengths` has the whole lengths of those that were cut, by their numbers; `last` is the highest
    line; once all are taken, the file is taken to about `reached`.
    """

    lengths: Mapping[int, int]
    lines: dict[str, Lines] = field(default_factory=dict)
    count: int = 0
    size_bytes: int = 0
    last: int = 0
    reached: int = 0

    def add(self, feed: str, lines: Lines, size_bytes: int) -> None:
        self.lines[feed] = lines
        self.count += len(lines)
        self.size_bytes += size_bytes
        self.last = max(self.last, lines.numbers[-1])


def pieces(
    stretches: Iterator[Stretch], share: Share, parts: list[Part], batch_size: int
) -> Iterator[Piece]:
    """The share's lines that are not blank and were not taken before, each part's in their order;
    at damage, first what was read before it."""
    ahead = _Ahead(parts, batch_size)
    try:
        for stretch in stretches:
            yield from ahead.read(stretch, share)
    except DamagedFile:
        yield from ahead.taken()
        raise
    yield from ahead.taken()


class _Ahead:
    """What was read and not yet taken."""

    def __init__(self, parts: list[Part], batch_size: int) -> None:
        self._parts = parts
        self._batch_size = batch_size
        alone = len(parts) == 1
        self._lines_max = batch_size if alone else max(batch_size, AHEAD_LINES_MAX)
        self._bytes_max = BATCH_BYTES_MAX if alone else AHEAD_BYTES_MAX
        self._lines = self._bytes = 0
        self._lengths: dict[int, int] = {}

    def read(self, stretch: Stretch, share: Share) -> Iterator[Piece]:
        """Hold what of these lines is to be taken; all that is held, whenever that is enough."""
        parts = self._parts
        first, texts, length = stretch
        if length > LINE_BYTES_KEPT:
            self._lengths[first] = length
        places = share.parts_of(texts, len(parts))
        for number, text, place in zip(itertools.count(first), texts, places, strict=False):
            if place is None or not text or text.isspace():
                continue
            part = parts[place]
            if number <= part.done:
                continue
            lines = part.lines
            lines.texts.append(text)
            lines.numbers.append(number)
            self._lines += 1
            self._bytes += len(text)
            if self._lines >= self._lines_max or self._bytes >= self._bytes_max:
                yield from self.taken()

    def taken(self) -> Iterator[Piece]:
        """All that is held, which is then held no more."""
        held = [part for part in self._parts if part.lines]
        if not held:
            return
        first = min(part.lines.numbers[0] for part in held) - 1
        span = max(part.lines.numbers[-1] for part in held) - first
        given = 0
        for piece in self._packed(held):
            given += piece.count
            piece.reached = first + span * given // self._lines
            yield piece
        self._lines = self._bytes = 0
        self._lengths = {}

    def _packed(self, held: list[Part]) -> Iterator[Piece]:
        """Pieces of whole parts as far as they fit: a patient's lines are rarely torn apart."""
        piece = Piece(self._lengths)
        for part in held:
            lines, part.lines = part.lines, Lines()
            for some, size in self._cut(lines):
                count, size_bytes = piece.count + len(some), piece.size_bytes + size
                if piece.count and (count > self._batch_size or size_bytes > BATCH_BYTES_MAX):
                    yield piece
                    piece = Piece(self._lengths)
                piece.add(part.feed, some, size)
        yield piece

    def _cut(self, lines: Lines) -> Iterator[tuple[Lines, int]]:
        """Lines in such as fit into a transaction, the last one aside, and their sizes in bytes."""
        size = lines.size_bytes()
        if len(lines) <= self._batch_size and size <= BATCH_BYTES_MAX:
            yield lines, size
            return
        first = size = 0
        for end, text in enumerate(lines.texts, 1):
            size += len(text)
            if end - first >= self._batch_size or size >= BATCH_BYTES_MAX:
                yield lines.cut(first, end), size
                first, size = end, 0
        if first < len(lines):
            yield lines.cut(first, len(lines)), size
