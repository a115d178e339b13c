"""Where a demo lives: its store, the file of its history, and what it was told at its start.

A demo that was killed goes on from here: the plan is read back, and the store itself says which
messages it has.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import msgspec

from infra.codec import decode_event
from projections.ports import Store
from services.demo.vocabulary import Message, to_line

LOG_CHUNK: Final = 5_000


class UnfitFolder(Exception):
    """The folder holds something else than this demo; the sentence says what."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a demo's messages follow from."""

    seed: int
    today: date
    patients: int


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The files of one demo."""

    path: Path

    @property
    def database(self) -> Path:
        return self.path / "caretally.db"

    @property
    def database_url(self) -> str:
        return f"sqlite:///{self.database.absolute()}"

    @property
    def history(self) -> Path:
        return self.path / "history.jsonl.gz"

    @property
    def _plan(self) -> Path:
        return self.path / "demo.json"

    @property
    def has_begun(self) -> bool:
        return self._plan.exists()

    def earlier_plan(self) -> Plan | None:
        """The plan of a demo begun here, None in a new folder. Raises UnfitFolder."""
        if not self.has_begun:
            if self.database.exists():
                raise UnfitFolder(f"expected a new folder; {self.database} is no demo's")
            return None
        try:
            said = json.loads(self._plan.read_bytes())
            return Plan(said["seed"], date.fromisoformat(said["today"]), said["patients"])
        except (ValueError, KeyError, TypeError):
            raise UnfitFolder(f"expected the plan of a demo in {self._plan}") from None

    def begin(self, plan: Plan, history: Iterable[Message]) -> None:
        """Write the history's file, then the plan: a plan stands for a whole history."""
        self.path.mkdir(parents=True, exist_ok=True)
        _whole(self.history, gzip.compress(b"".join(map(to_line, history)), 6, mtime=0))
        said = json.dumps(asdict(plan), default=str).encode()
        _whole(self._plan, said + b"\n")


def _whole(path: Path, content: bytes) -> None:
    """Write a file so that a kill leaves none of it or all of it."""
    half = path.with_name(f"{path.name}.part")
    half.write_bytes(content)
    os.replace(half, path)


def taken_ids(store: Store, source: str) -> set[str]:
    """The ids of this source's messages that the store has, in the log or as dead letters."""
    ids: set[str] = set()
    after = 0
    while page := store.log(after, LOG_CHUNK):
        after = page[-1].position
        events = map(decode_event, page)
        ids.update(event.id for event in events if event.source == source)
    for letter in store.dead_letters():
        ids.update(_id_of(letter.value, source))
    return ids


def _id_of(value: bytes | None, source: str) -> list[str]:
    try:
        said: Any = msgspec.json.decode(value or b"null")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    mine = isinstance(said, dict) and said.get("source") == source
    return [said["id"]] if mine and isinstance(said.get("id"), str) else []
