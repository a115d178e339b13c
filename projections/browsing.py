"""What readers page through: practices, patients, months, in an order that does not change."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from projections.ports import TransitionRow


class Place(NamedTuple):
    """A month's place in the order of assessments: by practice, patient, month."""

    practice_id: str
    patient_id: str
    month: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which assessments are read. None is any; `practices` are those that may be looked at."""

    practices: Collection[str] | None = None
    patient: str | None = None
    month: str | None = None
    status: str | None = None


class Browsing(Protocol):
    """Reads in pages. Each page is of one moment; between pages the store may move on."""

    def practices(self) -> list[str]:
        """Every practice that has a patient, in order; costs one look an answer."""

    def patients(self, practice: str, after: str, limit: int) -> list[str]:
        """A practice's patients beyond `after` ('': from the first), in order."""

    def assessments(
        self, wanted: Wanted, after: Place | None, limit: int
    ) -> list[tuple[Place, bytes]]:
        """Whole assessments beyond `after` as canonical JSON, in order of their places."""

    def transitions(self, stream_id: str) -> list[TransitionRow]:
        """Every alert transition of a patient, oldest first."""
