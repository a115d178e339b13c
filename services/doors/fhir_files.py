"""FHIR files: Bulk Data (one resource a line), and bundles, however they are laid out.

A line of a Bulk Data file is read as any other line. A bundle is read whole, and each of its
entries counts as a line: a killed run goes on after the last entry that it took.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import Final

import msgspec

from services.doors.lines import LINE_BYTES_KEPT, DamagedFile, Line, lines_of

_GZIP: Final = b"\x1f\x8b"
_ENTRY: Final = b'{"resourceType":"Bundle","type":"collection","entry":[%b]}'
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


def documents_of(file: BufferedReader, path: Path) -> Iterator[Line]:
    """The resources of a file, numbered from 1. Raises `DamagedFile`; `path` is for its words."""
    first = next((line for line in lines_of(file, path) if line.text.strip()), None)
    file.seek(0)
    if first is None or (first.length <= LINE_BYTES_KEPT and _is_resource(first.text)):
        yield from lines_of(file, path)
        return
    yield from _whole(_unpacked(file, path))


def _is_resource(text: bytes) -> bool:
    """Whether a line is a whole resource that is no bundle."""
    try:
        kind = msgspec.json.decode(_members(text).get("resourceType", msgspec.Raw(b"null")))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return isinstance(kind, str) and kind != "Bundle"


def _whole(text: bytes) -> Iterator[Line]:
    """Each entry of a bundle as a bundle of its own, so that what stands beside it stays; a file
    that is no bundle is one line, whatever it is."""
    try:
        entries = _list(_members(text)["entry"])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError):
        yield Line(1, text[:LINE_BYTES_KEPT], len(text))
        return
    for number, entry in enumerate(entries, start=1):
        yield Line(number, _ENTRY % bytes(entry), 0)


def _unpacked(file: BufferedReader, path: Path) -> bytes:
    whole = file.read()
    if not whole.startswith(_GZIP):
        return whole
    try:
        return gzip.decompress(whole)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DamagedFile(path, 0, str(error)) from error
