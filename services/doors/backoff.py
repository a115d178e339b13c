"""How long to wait before the next try of something that is down."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(slots=True)
class Backoff:
    """Seconds that double up to a cap, each with up to a quarter taken off at random."""

    first: float = 0.05
    cap: float = 5.0
    _next: float = 0.0

    def delay(self) -> float:
        """The next wait."""
        self._next = min(self.cap, self._next * 2 or self.first)
        return self._next * random.uniform(0.75, 1.0)

    def reset(self) -> None:
        """The thing answered: begin small again."""
        self._next = 0.0
