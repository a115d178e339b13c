"""One measured run, and what it is measured by."""

from __future__ import annotations

import resource
import time
from contextlib import suppress
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
    """The most memory this process ever held.

    Linux counts into `ru_maxrss` what the parent held when it forked; its own status does not.
    """
    with suppress(OSError), open("/proc/self/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
