"""A Debezium message unwrapped: which row of which table it is about, and what it says of it.

With and without the schema around the payload, and in the form of Debezium's CloudEvents
converter. What is no change of a row (tombstones, heartbeats, schema changes, boundaries of
transactions) is counted and let go.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain.rejections import Reason
from services.changes.position import position_of
from services.ingest import Delivery
from services.rows.mapping import TableMapping
from services.rows.row import Row
from services.translate.outcome import Ignore, Review
from services.translate.reading import obj, text
from services.wire import json_text
from services.wire.refusal import Refused, missing

READ: Final = "r"
DELETED: Final = "d"
TRUNCATED: Final = "t"
_CHANGES: Final = frozenset({"c", "u", READ, DELETED})
_EVENT: Final = "iodebezium"
_UNAVAILABLE: Final = "__debezium_unavailable_value"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS: Final = (2000, 2200)
_LIVE: Final = ("", "false", "None")
"""What `source.snapshot` is for a change that was streamed."""


def row_of(delivery: Delivery, mapping: TableMapping) -> Row:
    """The row of a change. Raises `Ignore`, `Review` and `Refused`."""
    if delivery.value is None:
        raise Ignore("tombstone")
    payload = _payload(json_text.parse(delivery.value))
    source, op = obj(payload.get("source")), text(payload.get("op"))
    if not op:
        raise _no_change(payload)
    if op == "m":
        raise Ignore("logical-message")
    if not source or op not in _CHANGES | {TRUNCATED}:
        raise missing("source" if not source else "op", "a Debezium change of a row")
    table = f"{source.get('schema') or source.get('db')}.{source.get('table')}"
    rows = mapping.tables.get(table)
    if rows is None:
        raise Ignore("table-not-mapped")
    if op == TRUNCATED:
        sentence = "the table was emptied at once, and nothing names its rows; a person must decide"
        raise Review(Reason.UNMAPPED_STATUS, "op", sentence)
    cells = _cells(payload, op, delivery.key)
    _check_whole(cells, rows.key if op == DELETED else rows.columns())
    return Row(
        mapping,
        rows,
        cells,
        table=table,
        at=_at(payload, source),
        position=_position(source, mapping),
        gone=op == DELETED,
        keeps=True,
        history=op == READ or str(source.get("snapshot", "")).lower() not in _LIVE,
        read=op == READ,
    )


def _payload(document: Any) -> dict[str, Any]:
    """The change itself. Raises `Ignore` for a tombstone in a wrapper, `Refused` for no object."""
    if not isinstance(document, dict):
        raise missing("payload", "a Debezium change")
    if text(document.get("specversion")) and any(name.startswith(_EVENT) for name in document):
        return _of_event(document)
    if "payload" in document and "op" not in document:
        if document["payload"] is None:
            raise Ignore("tombstone")
        return obj(document["payload"])
    return document


def _of_event(event: dict[str, Any]) -> dict[str, Any]:
    """Of the CloudEvents converter: what an envelope has under `source` are attributes there."""
    said = {
        name.removeprefix(_EVENT): value for name, value in event.items() if name.startswith(_EVENT)
    }
    stamped = {"ts_ms": said.get("tsms"), "commit_lsn": said.get("commitlsn")}
    more = {"change_lsn": said.get("changelsn"), "event_serial_no": said.get("eventserialno")}
    data = _payload(event.get("data") or {})
    return {**data, "op": text(said.get("op")), "source": {**said, **stamped, **more}}


def _no_change(payload: dict[str, Any]) -> Ignore | Refused:
    """What a message without `op` is."""
    if set(payload) <= {"ts_ms", "ts_us", "ts_ns"} and payload:
        return Ignore("heartbeat")
    if "ddl" in payload or "tableChanges" in payload:
        return Ignore("schema-change")
    if text(payload.get("status")) in ("BEGIN", "END") and "id" in payload:
        return Ignore("transaction-boundary")
    expected = "a Debezium change with its envelope (before, after, source, op)"
    return missing("op", expected)


def _cells(payload: dict[str, Any], op: str, key: bytes | None) -> dict[str, Any]:
    """The row after the change; of a deleted one its key, and what the database kept of it."""
    side = "before" if op == DELETED else "after"
    found = payload.get(side)
    if op == DELETED:
        return {**obj(found), **_key(key)}
    if not isinstance(found, dict):
        raise Review(Reason.MISSING_MEMBER, side, "expected the row; it is missing")
    return found


def _key(key: bytes | None) -> dict[str, Any]:
    """The primary key in a message's key; empty where that is something else."""
    if key is None:
        return {}
    try:
        return {n: v for n, v in _payload(json_text.parse(key)).items() if v is not None}
    except (Refused, Ignore):
        return {}


def _check_whole(cells: dict[str, Any], columns: Any) -> None:
    for column in sorted(columns):
        if cells.get(column) == _UNAVAILABLE:
            sentence = "expected the value; the database left it out as unchanged: set REPLICA"
            raise Review(Reason.MISSING_MEMBER, column, f"{sentence} IDENTITY FULL on the table")


def _position(source: dict[str, Any], mapping: TableMapping) -> str:
    found = position_of(source)
    return f"{mapping.generation:03d}{found}" if found else ""


def _at(payload: dict[str, Any], source: dict[str, Any]) -> str:
    """When the source wrote the change, else when it was read there; '' where nothing says it."""
    for value in (source.get("ts_ms"), payload.get("ts_ms")):
        written = str(value)
        if not (written.isascii() and written.isdigit() and len(written) < 16):
            continue
        found = _EPOCH + timedelta(milliseconds=int(written)) if int(written) else _EPOCH
        if _YEARS[0] <= found.year <= _YEARS[1]:
            return found.isoformat()
    return ""
