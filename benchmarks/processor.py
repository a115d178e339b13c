"""Measuring by processor time: a neighbour's work is not ours."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence


def measured(side: Callable[[Sequence[bytes]], int], values: Sequence[bytes]) -> float:
    """Seconds of processor time that a side takes; it must find as many as there are values."""
    started = time.process_time()
    found = side(values)
    seconds = time.process_time() - started
    if found != len(values):
        sys.exit(f"expected {len(values)} from {side.__name__}; found {found}")
    return seconds
