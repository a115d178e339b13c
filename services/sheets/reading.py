"""Spreadsheets saved as text: encodings, delimiters, quoted line ends, gzip; row by row.

A file is looked through once before anything is taken, so that one with a broken quote or without
a column that the mapping needs is refused whole.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from services.doors.lines import Line
from services.rows.mapping import Sheet, TableMapping
from services.sheets.row import SheetRow, to_bytes
from services.translate.stamping import digest_of

_GZIP: Final = b"\x1f\x8b"
_WORKBOOKS: Final = {
    b"PK\x03\x04": "an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
}
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_CODECS: Final = {"utf-8": "utf-8-sig", "cp1252": "cp1252", "utf-16": "utf-16"}


class SheetError(Exception):
    """A file that cannot be read by its mapping; nothing of it was taken. It names the file, and
    line and column where there are any."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What a file has: rows that are not blank, and its last line."""

    rows: int
    last_line: int


class SheetReader:
    """Reads the files of one mapping."""

    def __init__(self, mapping: TableMapping) -> None:
        """Raises SheetError for a mapping of tables."""
        if mapping.rows is None:
            raise SheetError(f"{mapping.name}: expected a mapping with rows; found one of tables")
        self._sheet = mapping.sheet
        self._columns = mapping.rows.columns()
        self._keyed = bool(mapping.rows.key)

    def survey(self, path: Path) -> Survey:
        """Look a file through. Raises SheetError, and OSError where it cannot be read."""
        rows, last = 0, 0
        with path.open("rb") as file:
            for row in self._rows(file, path):
                rows, last = rows + 1, row.line
        return Survey(rows, last)

    def lines(self, file: BufferedReader, path: Path) -> Iterator[Line]:
        """The rows of an open file for the file door, numbered by the line that they begin in."""
        seen: dict[str, tuple[int, int]] = {}
        for row in self._rows(file, path):
            if not self._keyed and isinstance(row.cells, dict):
                row = _counted(row, seen)
            yield Line(row.line, to_bytes(row), 0)

    def _rows(self, file: BufferedReader, path: Path) -> Iterator[SheetRow]:
        """Rows that are not blank. Raises SheetError."""
        header: list[str] | None = None
        for line, cells in _records(file, path, self._sheet):
            blank = not any(map(str.strip, cells))
            if header is None and line >= self._sheet.header_line and not blank:
                header = self._header(cells, path, line)
            elif header is not None and not blank:
                yield _row(line, header, cells)
        if header is None:
            line = self._sheet.header_line
            raise SheetError(f"{path}: line {line}: expected the header; found none")

    def _header(self, cells: list[str], path: Path, line: int) -> list[str]:
        """Names by column; those without one, and the second of a name, get one of their own."""
        names = [cell.strip().replace("\xa0", " ") for cell in cells]
        for name in sorted(self._columns):
            if name not in names:
                found = ", ".join(repr(each) for each in names[:30] if each) or "nothing"
                sentence = f"expected the column {name!r}; found {found}"
                raise SheetError(f"{path}: line {line}: {sentence}")
            if names.count(name) > 1:
                sentence = f"expected the column {name!r} once; found it several times"
                raise SheetError(f"{path}: line {line}: {sentence}")
        return [
            name if name and names.index(name) == n else f"{name or 'column'} ({n + 1})"
            for n, name in enumerate(names)
        ]


def _records(file: BufferedReader, path: Path, sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    """Records with the line that each begins in. Raises SheetError."""
    line = before = 0
    try:
        with _text_of(file, path, sheet) as text:
            reader = csv.reader(_lines(text, sheet), delimiter=sheet.delimiter, strict=True)
            for cells in reader:
                line, before = before + 1, reader.line_num
                yield line, cells
    except csv.Error as error:
        raise SheetError(f"{path}: line {before + 1}: {_fault(error)}") from None
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise SheetError(f"{path}: is damaged after line {line}: {error}") from None
    except UnicodeError as error:
        raise SheetError(f"{path}: expected {sheet.encoding}: {error}") from None


def _row(line: int, header: list[str], cells: list[str]) -> SheetRow:
    if len(cells) != len(header):
        return SheetRow(line, cells, columns=len(header))
    return SheetRow(line, dict(zip(header, cells, strict=True)))


def _counted(row: SheetRow, seen: dict[str, tuple[int, int]]) -> SheetRow:
    """A row with the line of the first that has the same cells, and which of them it is."""
    assert isinstance(row.cells, dict)
    digest = digest_of(row.cells)
    first, times = seen.get(digest, (row.line, 0))
    seen[digest] = (first, times + 1)
    return SheetRow(row.line, row.cells, same_as=first if times else 0, nth=times + 1)


def _fault(error: csv.Error) -> str:
    words = str(error)
    if "unexpected end" in words or "field limit" in words:
        return "a quote is opened in this row and never closed"
    return f"expected cells in quotes, or without any quote: {words}"


def _text_of(file: BufferedReader, path: Path, sheet: Sheet) -> io.TextIOWrapper:
    """The file's text, line ends as they are. Bytes that are none in the encoding become U+FFFD,
    which is refused in columns that are used."""
    head = file.read(4)
    file.seek(0)
    for magic, name in _WORKBOOKS.items():
        if head.startswith(magic):
            raise SheetError(f"{path}: is {name}: save it as 'CSV UTF-8' first")
    bytes_: Any = gzip.GzipFile(fileobj=file) if head.startswith(_GZIP) else file
    if not head.startswith(_GZIP) and head.startswith(_UTF16) != (sheet.encoding == "utf-16"):
        found = "a file in utf-16" if head.startswith(_UTF16) else "one in another encoding"
        raise SheetError(f"{path}: expected {sheet.encoding}; found {found}")
    return io.TextIOWrapper(bytes_, _CODECS[sheet.encoding], errors="replace", newline="")


def _lines(text: io.TextIOWrapper, sheet: Sheet) -> Iterator[str]:
    """Lines; `sep=;`, by which Excel is told the delimiter, counts as a blank one."""
    for number, line in enumerate(text):
        yield "\n" if number == 0 and line.strip() == f"sep={sheet.delimiter}" else line
