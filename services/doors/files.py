"""The file door: JSON Lines files into the log, resumable after a kill at any point.

How far a file has been taken is stored in the transaction that takes its lines, under a name made
from the file's content. Another content is another feed; what it repeats is a duplicate and has no
effect. Lines that cannot be taken are dead letters with origin `file:NAME:LINE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import Final

from domain.rejections import Rejection
from projections.ports import PositionPassed, Store
from services.doors.gathering import PARTS, Lines, Part, Piece, pieces
from services.doors.lines import Line, Stretch, lines_of, sha256_of, stretches_of
from services.doors.shares import WHOLE, Share, is_large
from services.ingest import Delivery, Ingest
from services.wire.modes import HISTORY

Headers = tuple[tuple[str, bytes], ...]
Reader = Callable[[BufferedReader, Path], Iterator[Line]]
Refused = Callable[[Delivery, Rejection], None]

LENGTH_HEADER: Final = "caretally-line-bytes"
"""On the dead letter of an over-long line: its whole length, of which only the head is kept."""


@dataclass(slots=True)
class FileOutcome:
    """What became of a file in this run.

    `feed` is its tracking name; `resumed_after` the last line that an earlier run had taken (0:
    none); `lines` the last line taken now, blank lines included in the numbering.
    """

    feed: str
    resumed_after: int = 0
    lines: int = 0
    accepted: int = 0
    duplicates: int = 0
    dead_lettered: int = 0
    ignored: int = 0


def ingest_file(
    ingest: Ingest,
    store: Store,
    path: Path,
    batch_size: int = 20_000,
    progress: Callable[[int], None] | None = None,
    history: bool = False,
    marks: Headers = (),
    read: Reader = lines_of,
    reading: str = "",
    refused: Refused | None = None,
    share: Share = WHOLE,
) -> FileOutcome:
    """Take a file's lines, from where an earlier run stopped, in transactions of `batch_size`.

    Lines of one patient are taken in their order; a large file's patients in parts.
    `progress` is called after each transaction with the number of the last line taken; `history`
    marks every line as history, which no alert is delivered for; `marks` are headers that name
    another form than our events, and `read` takes a file of that form apart; `reading` names how
    it is read, where the same file may be read anew in another way. `refused` hears of lines that
    cannot be taken; of several processes each takes its `share`. Raises
    `OSError` when the file cannot be read, `DamagedFile` when its gzip is broken (all whole lines
    before that are taken), and whatever an outage of the store raises; run it again after either.
    """
    if batch_size < 1:
        raise ValueError(f"batch_size: expected at least 1, found {batch_size}")
    with path.open("rb") as file:
        count = PARTS if read is lines_of and not marks and is_large(file) else 1
        whole = f"file:{sha256_of(file)}{reading}"
        parts = [_part(store, part.feed(whole)) for part in share.parts(count)]
        done = min(part.done for part in parts)
        outcome = FileOutcome(share.feed(whole), resumed_after=done, lines=done)
        marks = (*marks, (HISTORY, b"true")) if history else marks
        deliver = partial(_deliveries, path.name, marks)
        for piece in pieces(_stretches(read, file, path), share, parts, batch_size):
            _take(ingest, store, deliver, piece, outcome, refused)
            if progress is not None:
                progress(piece.reached)
    return outcome


def _stretches(read: Reader, file: BufferedReader, path: Path) -> Iterator[Stretch]:
    if read is lines_of:
        return stretches_of(file, path)
    return (Stretch(line.number, [line.text], line.length) for line in read(file, path))


def _part(store: Store, feed: str) -> Part:
    return Part(feed, store.tracking(feed) or 0)


def _take(
    ingest: Ingest,
    store: Store,
    deliver: Callable[[Mapping[int, int], Iterable[Lines]], list[Delivery]],
    piece: Piece,
    outcome: FileOutcome,
    refused: Refused | None,
) -> None:
    """One transaction. Where another run of the same file got ahead, only what it left."""
    lines = piece.lines
    while lines:
        ends = {feed: some.numbers[-1] for feed, some in lines.items()}
        deliveries = deliver(piece.lengths, lines.values())
        try:
            taken = ingest.take(deliveries, ends)
        except PositionPassed:
            lines = _left(store, lines)
            continue
        outcome.accepted += taken.accepted
        outcome.duplicates += taken.duplicates
        outcome.dead_lettered += taken.dead_lettered
        outcome.ignored += taken.ignored.total()
        if refused is not None:
            for one, rejection in zip(deliveries, taken.results, strict=True):
                if rejection is not None:
                    refused(one, rejection)
        break
    outcome.lines = max(outcome.lines, piece.last)


def _left(store: Store, lines: dict[str, Lines]) -> dict[str, Lines]:
    """What is beyond the stored positions. Raises PositionPassed where all of it is."""
    left: dict[str, Lines] = {}
    for feed, some in lines.items():
        if rest := some.beyond(store.tracking(feed) or 0):
            left[feed] = rest
    if left == lines:
        raise PositionPassed("the file's positions are none of those that were stored")
    return left


def _deliveries(
    name: str, marks: Headers, lengths: Mapping[int, int], lines: Iterable[Lines]
) -> list[Delivery]:
    """`lengths` are those of cut lines, by their numbers."""
    cut = {
        number: (*marks, (LENGTH_HEADER, str(length).encode()))
        for number, length in lengths.items()
    }
    return [
        Delivery(text, None, cut.get(number, marks), f"file:{name}:{number}")
        for some in lines
        for number, text in zip(some.numbers, some.texts, strict=True)
    ]
