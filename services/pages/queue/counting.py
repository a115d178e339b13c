"""How many things wait, for the head of every page."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from domain.facts import Month
from services.bootstrap import Parts
from services.pages.place import Place
from services.pages.queue.heaps import Waiting
from services.views.conflicts import count_conflicts

KEPT_SECONDS: Final = 30.0
"""How long a number of conflicts is kept: counting reads every assessment of the month."""
KEPT_MAX: Final = 1_000

Where = tuple[str, Month, frozenset[str] | None]


class Counting:
    """Letters as they are, and conflicts as they were a moment ago."""

    def __init__(
        self, parts: Parts, waiting: Waiting, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._parts, self._waiting, self._clock = parts, waiting, clock
        self._kept: dict[Where, tuple[float, int]] = {}

    def count(self, place: Place) -> int:
        """Letters and conflicts of the shown month, as far as somebody may see them."""
        return self._waiting.count(place) + self._conflicts(place)

    def note(self, place: Place, conflicts: int) -> None:
        """The number was just found out."""
        if len(self._kept) >= KEPT_MAX:
            self._kept.clear()
        self._kept[_where(place)] = (self._clock() + KEPT_SECONDS, conflicts)

    def _conflicts(self, place: Place) -> int:
        until, count = self._kept.get(_where(place), (float("-inf"), 0))
        if self._clock() < until:
            return count
        sees = place.principal.sees
        count = count_conflicts(self._parts, place.practice, place.month, sees)
        self.note(place, count)
        return count


def _where(place: Place) -> Where:
    return place.practice, place.month, place.principal.practices
