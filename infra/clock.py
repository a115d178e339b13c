"""The clock port and the real clock. Everything that stamps time takes a `Clock`."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Microseconds since the Unix epoch, UTC."""


def system_clock() -> int:
    """The machine's own clock."""
    return time.time_ns() // 1_000
