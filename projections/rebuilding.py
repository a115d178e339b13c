"""Read models made anew beside the live ones, compared with them, and put in their place.

The log is folded twice over: once patient by patient, then along the log for whatever came in
meanwhile. What the live read model said of each patient at the same version is compared on the
way. The switch waits for nobody and shows everybody either the old rows or the new ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from projections.ports import AssessmentRow, StoredStream


class Kind(StrEnum):
    """How a live patient-month differs from the one made anew."""

    MISSING = "missing"
    LEFT_OVER = "left-over"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Difference:
    """A patient-month whose live row is not what its events come to.

    `members` names the assessment's members that differ: `rules` among them tells that the live
    row was made by other rules. Empty where one of the two rows does not exist.
    """

    practice_id: str
    patient_id: str
    month: str
    kind: Kind
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is. It goes on from here after a crash.

    `making` stands for the rules, fees and policies it is made by. Every stream up to and with
    `stream` is made ('' at the beginning), all of them when `whole`. Everything in the log up to
    `position` is in what was made, as far as its streams are.
    """

    making: str
    stream: str
    whole: bool
    position: int


@dataclass(frozen=True, slots=True)
class History:
    """A patient's events beyond a version, and all its live rows, of one moment."""

    stream: StoredStream
    live: Sequence[AssessmentRow]


@dataclass(frozen=True, slots=True)
class Made:
    """What a patient's events come to in these months; a month without a row has no ground."""

    stream_id: str
    months: Collection[str]
    rows: Sequence[AssessmentRow]
    differences: Sequence[Difference]


class RebuildTaken(Exception):
    """Another process works on the rebuild, or has finished it. Nothing was written."""


Remake = Callable[[Sequence[History]], Sequence[Made]]
"""Folds histories into rows."""


class Rebuilding(Protocol):
    """The store's side of a rebuild of month assessments. One rebuild at a time."""

    def making(self) -> str:
        """What the live rows were made by at the last switch; '' when there never was one."""

    def begin(self, making: str) -> Progress:
        """The unfinished rebuild of this making, else a new one; one of another making is
        thrown away."""

    def streams(self, after: str, limit: int) -> list[str]:
        """Stream ids beyond `after`, in order."""

    def moved(self, after: int, limit: int) -> tuple[list[str], int]:
        """Streams of the next events in the log, each once, and the position of the last one."""

    def histories(self, beyond: Mapping[str, int]) -> list[History]:
        """Histories of these streams, each without the events up to its version here."""

    def keep(self, before: Progress, after: Progress, made: Sequence[Made]) -> None:
        """Write what was made and the progress in one transaction. Raises RebuildTaken."""

    def switch(
        self, before: Progress, remake: Remake, versions: Callable[[str], int], events_max: int
    ) -> bool:
        """Put what was made in the place of the live rows, in one transaction.

        While no event can come in, `remake` is given what came in since `before`, without the
        events up to `versions`. False, and nothing is written, when that is more than `events_max`
        events, or when readers are in the way for too long. Raises RebuildTaken.
        """

    def differences(self) -> Iterator[Difference]:
        """What the last rebuild found different, by practice, patient and month."""

    def clear(self) -> None:
        """Let go of the rows that a switch took out of use."""


_SHOWN = slice(0, 6)
"""The columns of a row, the version as of which it was made aside."""


def compared(
    live: Sequence[AssessmentRow], made: Sequence[AssessmentRow], months: Collection[str]
) -> list[Difference]:
    """How one patient's live rows differ from those made anew, in these months."""
    old = {row.month: row for row in live if row.month in months}
    new = {row.month: row for row in made}
    found = []
    for month in sorted(old.keys() | new.keys()):
        before, after = old.get(month), new.get(month)
        members: tuple[str, ...] = ()
        if before is None:
            kind = Kind.MISSING
        elif after is None:
            kind = Kind.LEFT_OVER
        elif before[_SHOWN] == after[_SHOWN]:
            continue
        else:
            kind, members = Kind.DIFFERENT, _members(before, after)
        row = before or after
        assert row is not None
        found.append(Difference(row.practice_id, row.patient_id, month, kind, members))
    return found


def _members(before: AssessmentRow, after: AssessmentRow) -> tuple[str, ...]:
    """Names of what differs, in the assessment's own order; `row` where the columns alone do."""
    try:
        old = json.loads(before.body)
    except ValueError:
        return ("body",)
    new = json.loads(after.body)
    if not isinstance(old, dict):
        return ("body",)
    names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
    return tuple(names) or ("row",)
