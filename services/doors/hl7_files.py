"""HL7 v2 files: messages one after the other, in batches or not, with frames of MLLP or not.

Each message counts as a line: a killed run goes on after the last one that it took.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from services.doors.lines import DAMAGE, LINE_BYTES_KEPT, DamagedFile, Line, pieces_of
from services.translate.hl7v2.batches import Batches, begin_of_last


def messages_of(file: BufferedReader, path: Path) -> Iterator[Line]:
    """The messages of a file, numbered from 1. Raises `DamagedFile`; `path` is for its words.

    Bytes that belong to no message are one of the lines: nothing is passed over. The last message
    before damage is left out, for nobody knows how it went on.
    """
    number, rest, lost, batches = 0, b"", 0, Batches()
    try:
        for piece in pieces_of(file):
            rest += piece
            cut = begin_of_last(rest)
            for message in batches.messages(rest[:cut]):
                number += 1
                yield Line(number, message[:LINE_BYTES_KEPT], len(message) + lost)
                lost = 0
            rest = rest[cut:]
            if len(rest) > 2 * LINE_BYTES_KEPT:
                # A message that is far too long: of its middle nothing but the length is kept.
                lost += len(rest) - 2 * LINE_BYTES_KEPT
                rest = rest[:LINE_BYTES_KEPT] + rest[-LINE_BYTES_KEPT:]
    except DAMAGE as error:
        raise DamagedFile(path, number, str(error)) from error
    for message in batches.messages(rest):
        number += 1
        yield Line(number, message[:LINE_BYTES_KEPT], len(message) + lost)
        lost = 0
