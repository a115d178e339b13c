"""What changed among the month assessments, told along the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from projections.ports import AssessmentRow


class PatientMonth(NamedTuple):
    """A month of a patient that no longer has an assessment."""

    practice_id: str
    patient_id: str
    month: str
    version: int
    """The stream version as of which it lost it."""


class Changes(NamedTuple):
    """What the events of a stretch of the log made of the months they touched.

    A month that later events have changed again is left to the stretch those lie in, so that a
    whole reading of the log gives every month once.
    """

    rows: Sequence[AssessmentRow]
    gone: Sequence[PatientMonth]
    through: int
    """The position of the last event that was looked at."""


class AssessmentFeed(Protocol):
    """The live assessments, as whoever tells others of them needs to read them."""

    def switches(self) -> int:
        """How often a rebuild has replaced the live rows: after one all of them may be others,
        so whoever follows has to begin at the log's beginning again."""

    def changes(self, after: int, limit: int) -> Changes:
        """What the next events beyond a position changed; `through` is `after` when there are
        none. Read in one moment: a month whose last event lies in the stretch is always in it."""
