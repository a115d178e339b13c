"""Debezium messages of a timer's database, as connectors write them."""

from __future__ import annotations

from typing import Any

from services.rows.mapping import TableMapping
from tests.rows.made import mapping

TABLE = "public.time_entries"
MS = 1_741_194_000_000
"""2025-03-05T17:00:00Z."""

ROWS: dict[str, Any] = {
    "key": ["id"],
    "patient": {"column": "patient"},
    "skip": {"deleted": ["true"]},
    "events": [
        {
            "type": "time.logged.v1",
            "members": {
                "performer.id": {"column": "nurse"},
                "performer.role": {"value": "clinical_staff"},
                "activity": {"column": "task"},
                "started_at": {"column": "began", "instant": "epoch-us"},
                "ended_at": {"column": "ended", "instant": "epoch-us"},
            },
        }
    ],
}


def tables(**changes: Any) -> TableMapping:
    """A mapping of the timer's database."""
    return mapping(rows=None, tables={TABLE: {**ROWS, **changes}})


def row(id: int = 7, minutes: int = 10, **changes: Any) -> dict[str, Any]:
    began = MS * 1_000 - 3_600_000_000
    return {
        "id": id,
        "patient": "pt1",
        "nurse": "rn1",
        "task": "call",
        "began": began,
        "ended": began + minutes * 60_000_000,
        "deleted": False,
        **changes,
    }


def source(lsn: int | None = 100, ms: int = MS, **changes: Any) -> dict[str, Any]:
    return {
        "version": "3.2.0.Final",
        "connector": "postgresql",
        "name": "timer",
        "ts_ms": ms,
        "snapshot": "false",
        "db": "timer",
        "schema": "public",
        "table": "time_entries",
        "txId": 555,
        "lsn": lsn,
        "xmin": None,
        **changes,
    }


def change(
    op: str = "c",
    after: Any = None,
    before: Any = None,
    lsn: int | None = 100,
    ms: int = MS,
    **changes: Any,
) -> dict[str, Any]:
    """An envelope; `changes` are of its source."""
    return {
        "before": before,
        "after": after,
        "source": source(lsn, ms, **changes),
        "op": op,
        "ts_ms": ms + 50,
        "transaction": None,
    }


def history() -> list[dict[str, Any]]:
    """A row's life, each change later than the one before it."""
    return [
        change("c", row(minutes=10), lsn=100),
        change("u", row(minutes=12), lsn=110, ms=MS + 1),
        change("u", row(minutes=9), lsn=120, ms=MS + 1),
        change("u", row(minutes=15), lsn=130, ms=MS + 2),
    ]


def wrapped(payload: Any) -> dict[str, Any]:
    """With the schema of the JSON converter around it."""
    schema = {"type": "struct", "fields": [], "optional": False, "name": "timer.Envelope"}
    return {"schema": schema, "payload": payload}


def as_event(envelope: dict[str, Any]) -> dict[str, Any]:
    """As Debezium's CloudEvents converter writes it."""
    said = envelope["source"]
    attributes = {f"iodebezium{k.lower()}": v for k, v in said.items() if k not in ("ts_ms", "lsn")}
    return {
        "id": f"name:timer;lsn:{said['lsn']};txId:555",
        "source": "/debezium/postgresql/timer",
        "specversion": "1.0",
        "type": "io.debezium.connector.postgresql.DataChangeEvent",
        "time": "2025-03-05T17:00:00.000Z",
        "datacontenttype": "application/json",
        "iodebeziumop": envelope["op"],
        "iodebeziumtsms": str(said["ts_ms"]),
        "iodebeziumlsn": str(said["lsn"]),
        **attributes,
        "data": {"before": envelope["before"], "after": envelope["after"]},
    }
