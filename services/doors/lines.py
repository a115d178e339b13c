"""A file's lines as a stream: plain or gzip, memory flat however long a line is."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final, NamedTuple

from services.wire.limits import MESSAGE_BYTES_MAX

LINE_BYTES_KEPT: Final = MESSAGE_BYTES_MAX + 5
"""As much of a line as shows that it is beyond the limit of a message, were a byte order mark at
its start and a carriage return at its end taken off."""

_CHUNK_BYTES: Final = 262_144
"""Far fewer than `LINE_BYTES_KEPT`: no line that lies within a chunk can be over-long."""

_GZIP: Final = b"\x1f\x8b"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


DAMAGE: Final = (EOFError, gzip.BadGzipFile, zlib.error)
"""What unpacking a damaged file raises."""


class Line(NamedTuple):
    """One line without its end: its number from 1, at most `LINE_BYTES_KEPT`, its whole length."""

    number: int
    text: bytes
    length: int


class Stretch(NamedTuple):
    """Lines one after the other, without their ends: the first one's number, from 1, the lines,
    each at most `LINE_BYTES_KEPT`, and the whole length of the first. No other was longer."""

    first: int
    texts: list[bytes]
    length: int


class DamagedFile(Exception):
    """A gzip file that ends early or does not decompress. Whole lines before that were read."""

    def __init__(self, path: Path, line: int, why: str) -> None:
        """`line` is the last whole line before the damage."""
        super().__init__(f"{path} is damaged after line {line}: {why}")
        self.path = path
        self.line = line
        self._why = why

    def __reduce__(self) -> tuple[type[DamagedFile], tuple[Path, int, str]]:
        """It crosses from one process to another."""
        return DamagedFile, (self.path, self.line, self._why)


def sha256_of(file: BufferedReader) -> str:
    """The SHA-256 of an open file's bytes, in hex; leaves it at its start."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()
    file.seek(0)
    return digest


def lines_of(file: BufferedReader, path: Path) -> Iterator[Line]:
    """The lines of `stretches_of`, one by one."""
    for first, texts, length in stretches_of(file, path):
        yield Line(first, texts[0], length)
        for number, text in enumerate(texts[1:], first + 1):
            yield Line(number, text, len(text))


def stretches_of(file: BufferedReader, path: Path) -> Iterator[Stretch]:
    """Every line of an open file, blank ones too. Raises `DamagedFile`; `path` is for its words.

    Gzip is known by its first bytes, not by the name. A last line without an end counts, except
    before damage, where nobody knows how it went on. A byte order mark is dropped.
    """
    number, rest, lost = 0, b"", 0
    try:
        for piece in pieces_of(file):
            *whole, rest = (rest + piece).split(b"\n")
            if whole:
                first, number = number + 1, number + len(whole)
                yield _stretch(first, whole, lost)
                lost = 0
            if len(rest) > LINE_BYTES_KEPT:
                lost += len(rest) - LINE_BYTES_KEPT
                rest = rest[:LINE_BYTES_KEPT]
    except DAMAGE as error:
        raise DamagedFile(path, number, str(error)) from error
    if rest:
        yield _stretch(number + 1, [rest], lost)


def pieces_of(file: BufferedReader) -> Iterator[bytes]:
    """The bytes of an open file, unpacked where it is gzip. Raises what is in `DAMAGE`."""
    packed = file.read(2) == _GZIP
    file.seek(0)
    return _gunzipped(file) if packed else iter(lambda: file.read(_CHUNK_BYTES), b"")


def _gunzipped(file: BufferedReader) -> Iterator[bytes]:
    """Decompressed pieces, each handed on before the next is read: damage costs none of them."""
    with gzip.GzipFile(fileobj=file) as unpacked:
        while piece := unpacked.read1(_CHUNK_BYTES):
            yield piece


def _stretch(first: int, texts: list[bytes], lost: int) -> Stretch:
    """Of the first line `lost` bytes were cut out before, always behind `LINE_BYTES_KEPT`."""
    length = len(texts[0]) + lost
    if first == 1:
        texts[0] = texts[0].removeprefix(_BYTE_ORDER_MARK)
    texts[0] = texts[0][:LINE_BYTES_KEPT]
    return Stretch(first, [text.removesuffix(b"\r") for text in texts], length)
