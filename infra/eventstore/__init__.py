"""The event store: log, read models and feed positions behind `projections.ports.Store`."""

from __future__ import annotations

from infra.eventstore.memory import MemoryStore
from infra.eventstore.schema import Report, SchemaTooNew, silent
from projections.ports import Store

__all__ = ["MemoryStore", "SchemaTooNew", "open_store"]


def open_store(url: str, report: Report = silent) -> Store:
    """The store a settings URL names, its schema brought up to date.

    `sqlite:///relative.db`, `sqlite:////absolute.db`, `sqlite:///:memory:`, `memory:`,
    `postgresql://user@host/database`. `report` hears what a migration did.
    Raises ValueError for any other URL, SchemaTooNew for a database of a newer release.
    """
    if url == "memory:":
        return MemoryStore()
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        from infra.eventstore.sqlite import SQLiteStore

        return SQLiteStore(url.removeprefix("sqlite:///"), report)
    if url.startswith(("postgresql://", "postgres://")):
        from infra.eventstore.postgres import PostgresStore

        return PostgresStore(url, report)
    raise ValueError(
        f"database {_without_password(url)!r} is not understood: expected sqlite:///FILE, "
        "postgresql://USER@HOST/NAME or memory:"
    )


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else url
