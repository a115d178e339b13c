"""The job in plain Python, for the peers that bring no language of their own.

Duplicates by source and id; of an entry the revision said last stands, whichever came first; the
seconds of a patient's month; a unit for each 20 minutes, three at most; every unit reached or taken
back is a transition. An entry belongs to the month in which it starts by UTC: in this workload
that is also the local one. No prerequisites, no overlaps, no reasons.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

Change = tuple[str, int, bool]
"""(month, unit, whether it was reached)."""

UNIT_SECONDS, UNITS_MAX = 1200, 3


def units_of(seconds: int) -> int:
    return min(UNITS_MAX, seconds // UNIT_SECONDS)


class PlainPatient:
    """What is known of one patient."""

    __slots__ = ("entries", "seconds", "seen")

    def __init__(self) -> None:
        self.seen: set[tuple[str, str]] = set()
        self.entries: dict[str, tuple[tuple[str, str, str], str, int]] = {}
        """Of each entry when it was said last, its month and its seconds."""
        self.seconds: dict[str, int] = {}

    def take(self, message: dict[str, Any]) -> list[Change] | None:
        """Fold a message: the transitions it causes; None for a duplicate."""
        key = (message["source"], message["id"])
        if key in self.seen:
            return None
        self.seen.add(key)
        data = message["data"]
        if "entry_id" not in data:
            return []
        said = (message["time"], *key)
        standing = self.entries.get(data["entry_id"])
        if standing is not None and standing[0] > said:
            return []
        month, seconds = work_of(data)
        self.entries[data["entry_id"]] = (said, month, seconds)
        moved = {month: seconds}
        if standing is not None:
            moved[standing[1]] = moved.get(standing[1], 0) - standing[2]
        return [change for month in sorted(moved) for change in self._add(month, moved[month])]

    def _add(self, month: str, seconds: int) -> list[Change]:
        before = self.seconds.get(month, 0)
        self.seconds[month] = before + seconds
        return changes(month, units_of(before), units_of(before + seconds))


def changes(month: str, had: int, has: int) -> list[Change]:
    """The transitions from so many units to so many."""
    reached = [(month, unit, True) for unit in range(had + 1, has + 1)]
    return reached or [(month, unit, False) for unit in range(has + 1, had + 1)]


def work_of(data: dict[str, Any]) -> tuple[str, int]:
    """The month and the seconds of an entry; nothing where it is withdrawn."""
    if "started_at" not in data:
        return "", 0
    start = datetime.fromisoformat(data["started_at"])
    return data["started_at"][:7], (datetime.fromisoformat(data["ended_at"]) - start).seconds
