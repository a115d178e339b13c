"""A store and an ingest core for the doors' tests, as a process would compose them."""

from __future__ import annotations

from pathlib import Path

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore import open_store
from projections.ports import DeadLetter, Store, StoredEvent
from services.ingest.core import Ingest

NOW_US = 1_741_188_061_000_000
"""The clock of these tests, standing still: 2025-03-05T15:21:01Z."""


def opened(folder: Path) -> Store:
    """A new SQLite store in this folder, or the one that is there."""
    return open_store(f"sqlite:///{folder / 'log.db'}")


def ingest_over(store: Store, kind: type[Ingest] = Ingest) -> Ingest:
    """An ingest core over the store, with the built-in rules and default policies."""
    return kind(store, lambda: NOW_US, BOOK, lambda _practice: Policy())


def logged(store: Store) -> list[StoredEvent]:
    """The whole log."""
    return store.log(0, 1_000_000)


def letters(store: Store) -> list[DeadLetter]:
    """All dead letters."""
    return store.dead_letters()


def written(folder: Path, lines: list[bytes], name: str = "feed.jsonl") -> Path:
    """A new file of these lines."""
    path = folder / name
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path
