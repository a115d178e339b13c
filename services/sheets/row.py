"""A spreadsheet's row as a delivery: its line and cells as JSON, so that a letter can be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from domain.rejections import Reason
from services.ingest import Delivery
from services.rows.mapping import TableMapping
from services.rows.marks import EXPORTED, FILE
from services.rows.row import Row
from services.translate.outcome import Review
from services.wire import json_text
from services.wire.refusal import refused


class SheetRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """`line` is the file's, counted from 1, where the row begins. `cells` has texts by column; a
    row of another length than the header is a list of them, and `columns` how many there should
    be. For `same_as` and `nth` see `Row`."""

    line: int
    cells: dict[str, str] | list[str]
    columns: int = 0
    same_as: int = 0
    nth: int = 1


_encode = msgspec.json.Encoder().encode


def to_bytes(row: SheetRow) -> bytes:
    """What the door hands on."""
    return _encode(row)


def row_of(delivery: Delivery, mapping: TableMapping) -> Row:
    """The row of a delivery. Raises `Review` and `Refused`."""
    headers = dict(delivery.headers)
    try:
        read = msgspec.convert(json_text.parse(delivery.value or b""), SheetRow)
    except msgspec.ValidationError:
        raise refused(Reason.INVALID_MEMBER, "", "a row of a sheet", "something else") from None
    if mapping.rows is None:
        raise refused(Reason.INVALID_MEMBER, "", "a mapping with rows", "one of tables")
    if isinstance(read.cells, list):
        expected = f"{read.columns} cells, as many as the header has"
        sentence = f"expected {expected}; found {len(read.cells)}: is a delimiter not in quotes?"
        raise Review(Reason.INVALID_MEMBER, "row", sentence)
    return Row(
        mapping,
        mapping.rows,
        read.cells,
        at=_text(headers, EXPORTED),
        file=_text(headers, FILE),
        same_as=read.same_as,
        nth=read.nth if mapping.rows.without_key == "each" else 1 + bool(read.same_as),
    )


def line_of(value: bytes | None) -> int:
    """The line of a delivery's row, 0 where there is none to be read."""
    try:
        found: Any = msgspec.json.decode(value or b"")
        return int(found["line"])
    except (msgspec.DecodeError, UnicodeDecodeError, TypeError, KeyError, ValueError):
        return 0


def _text(headers: Mapping[str, bytes], name: str) -> str:
    return headers.get(name, b"").decode("utf-8", "replace")
