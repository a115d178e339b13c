"""Boards kept in one piece for processes that start, and the port they are read through."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple, Protocol

from domain.facts import Month


class KeptBoard(NamedTuple):
    """A practice's month as it stood on a day, with the log up to `position`.

    A hint, never the truth: `form` stands for the rules by which `body` was made, and who goes by
    others has no use for it.
    """

    practice_id: str
    month: Month
    day: date
    form: str
    position: int
    body: bytes


class KeptBoards(Protocol):
    """The store's side of it: one board a practice and month."""

    def read(self, practice: str, month: Month) -> KeptBoard | None: ...

    def keep(self, board: KeptBoard) -> None:
        """In place of an earlier one; one of a later day, or further up the log, stays."""
