"""Projections that cross patients: what they keep, and the port they are read through.

Each follows the log in order of positions and keeps its own place there, written in the same
transaction as its rows. A projection has generations: one is live, a rebuild makes the next.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from projections.ports import AlertState, AssessmentRow, ProjectedRow


class Stretch(NamedTuple):
    """Rows of one part with `at` from `first` to `last`, both included."""

    part: str
    first: int
    last: int


def pointer(projection: str) -> str:
    """The feed name under which the live generation's number stands."""
    return f"projection:{projection}"


def place(projection: str, generation: int) -> str:
    """The feed name under which a generation's place in the log stands."""
    return f"projection:{projection}/{generation}"


def making_mark(projection: str, generation: int, making: str) -> str:
    """The feed name that says by which making a generation was begun."""
    return f"{place(projection, generation)}:{making[-16:]}"


class Projected(Protocol):
    """The store's side of projections that cross patients."""

    def rows(
        self, table: str, generation: int, stretches: Collection[Stretch]
    ) -> list[ProjectedRow]:
        """Every row in any of these stretches, once, in order."""

    def live_rows(self, projection: str, table: str, part: str | None = None) -> list[ProjectedRow]:
        """A table's rows of the live generation, of one moment, by part, `at` and key."""

    def standings(self, alerts: Collection[tuple[str, str]]) -> dict[str, AlertState]:
        """Where these alerts, given as (stream id, alert id), stand; by alert id."""

    def answers(self, stream_ids: Sequence[str]) -> list[AssessmentRow]:
        """The live assessments of these patients."""

    def differing(self, tables: Collection[str], one: int, other: int) -> int:
        """How many rows of these two generations are not in both."""

    def drop(self, tables: Collection[str], before: int) -> None:
        """Let go of generations before this one."""
