"""A file's lines in transactions; those of a large file gathered by patient first.

A file of events lies in the order of its days, so every few thousand lines speak of nearly every
patient, and each transaction would answer for nearly every month anew. Of a large file so much is
read ahead as memory allows, and taken in parts, each with its patients: a month is answered for
once in all that was read. Each part's place in the file is a feed of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from services.doors.lines import DamagedFile, Line
from services.doors.shares import Share

PARTS: Final = 128
"""Of a large file, for each process that takes it."""

AHEAD_BYTES_MAX: Final = 256 * 1_048_576
AHEAD_LINES_MAX: Final = 1_000_000
"""Lines that are held before they are taken."""

BATCH_BYTES_MAX: Final = 8 * 1_048_576
"""A transaction's lines: bounds memory where lines are long."""


@dataclass(slots=True)
class Part:
    """Some of the patients: how far their lines were taken before, and those held now."""

    feed: str
    done: int
    lines: list[Line] = field(default_factory=list)
    size_bytes: int = 0

    def add(self, line: Line) -> int:
        """Hold a line; its size in bytes."""
        size_bytes = len(line.text)
        self.lines.append(line)
        self.size_bytes += size_bytes
        return size_bytes


@dataclass(slots=True)
class Piece:
    """Lines for one transaction, by the feed of their part.

    `last` is the highest line in it; once it is taken, the file is taken to about `reached`.
    """

    lines: dict[str, list[Line]] = field(default_factory=dict)
    count: int = 0
    size_bytes: int = 0
    last: int = 0
    reached: int = 0

    def add(self, part: Part) -> None:
        self.lines[part.feed] = part.lines
        self.count += len(part.lines)
        self.size_bytes += part.size_bytes
        self.last = max(self.last, part.lines[-1].number)


def pieces(
    lines: Iterator[Line], share: Share, parts: list[Part], batch_size: int
) -> Iterator[Piece]:
    """The share's lines that are not blank and were not taken before, each part's in their order;
    at damage, first what was read before it."""
    ahead = _Ahead(parts, batch_size)
    count, part_of = len(parts), share.part_of
    try:
        for line in lines:
            text = line.text
            if not text or text.isspace():
                continue
            number = part_of(text, count)
            if number is not None and ahead.fills(parts[number], line):
                yield from ahead.taken()
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

    def fills(self, part: Part, line: Line) -> bool:
        """Add a line of this part unless it was taken; whether it is time to take what is held."""
        if line.number <= part.done:
            return False
        self._bytes += part.add(line)
        self._lines += 1
        return self._lines >= self._lines_max or self._bytes >= self._bytes_max

    def taken(self) -> Iterator[Piece]:
        """All that is held, which is then held no more."""
        held = [part for part in self._parts if part.lines]
        if not held:
            return
        first = min(part.lines[0].number for part in held) - 1
        span = max(part.lines[-1].number for part in held) - first
        given = 0
        for piece in self._packed(held):
            given += piece.count
            piece.reached = first + span * given // self._lines
            yield piece
        self._lines = self._bytes = 0

    def _packed(self, held: list[Part]) -> Iterator[Piece]:
        """Pieces of whole parts as far as they fit: a patient's lines are rarely torn apart."""
        piece = Piece()
        for part in held:
            for some in self._cut(part):
                count, size = piece.count + len(some.lines), piece.size_bytes + some.size_bytes
                if piece.count and (count > self._batch_size or size > BATCH_BYTES_MAX):
                    yield piece
                    piece = Piece()
                piece.add(some)
            part.lines, part.size_bytes = [], 0
        yield piece

    def _cut(self, part: Part) -> Iterator[Part]:
        """A part in such as fit into a transaction, the last line aside."""
        if len(part.lines) <= self._batch_size and part.size_bytes <= BATCH_BYTES_MAX:
            yield part
            return
        some = Part(part.feed, part.done)
        for line in part.lines:
            some.add(line)
            if len(some.lines) >= self._batch_size or some.size_bytes >= BATCH_BYTES_MAX:
                yield some
                some = Part(part.feed, part.done)
        if some.lines:
            yield some
