"""One measured run, and what it is measured by."""

from __future__ import annotations

import resource
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One measured run. `totals` is a digest of the seconds and units it came to."""

    side: str
    events: int
    seconds: float
    memory_bytes: int
    disk_bytes: int
    totals: str

    @property
    def rate(self) -> float:
        return self.events / self.seconds


def stopwatch() -> float:
    return time.perf_counter()


def peak_bytes() -> int:
    """The most memory this process ever held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
