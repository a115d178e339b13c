"""How often: requests of a principal, and tries at a password. In memory, which is bounded."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

KEYS_MAX: Final = 10_000
"""Beyond this whoever was seen longest ago is forgotten."""

WAIT_SECONDS_MAX: Final = 900.0
FORGET_SECONDS: Final = 3600.0

Kept = TypeVar("Kept")
Monotonic = Callable[[], float]


class _Lately(Generic[Kept]):
    """What was seen of the last keys."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._keys_max = keys_max

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable) -> Kept | None:
        return self._kept.get(key)

    def set(self, key: Hashable, value: Kept) -> None:
        self._kept[key] = value
        self._kept.move_to_end(key)
        while len(self._kept) > self._keys_max:
            self._kept.popitem(last=False)

    def forget(self, key: Hashable) -> None:
        self._kept.pop(key, None)


class Rate:
    """So many a minute, and as many at once after a pause: a bucket for each key."""

    def __init__(self, per_minute: int, monotonic: Monotonic = time.monotonic) -> None:
        self._full, self._per_second = float(per_minute), per_minute / 60
        self._monotonic = monotonic
        self.seen: _Lately[tuple[float, float]] = _Lately()
        """How much was left when, by key."""

    def wait(self, key: Hashable) -> float:
        """Take one: 0 where there was one, else after how many seconds there will be."""
        now = self._monotonic()
        left, at = self.seen.get(key) or (self._full, now)
        left = min(self._full, left + (now - at) * self._per_second)
        taken = left >= 1
        self.seen.set(key, (left - 1 if taken else left, now))
        return 0.0 if taken else (1 - left) / self._per_second


class Tries:
    """Wrong passwords: some are free, then each doubles the wait before the next try."""

    def __init__(self, free: int, monotonic: Monotonic = time.monotonic) -> None:
        self._free, self._monotonic = free, monotonic
        self.seen: _Lately[tuple[int, float]] = _Lately()
        """How many failed, and when the last one did."""

    def wait(self, key: Hashable) -> float:
        """Seconds before the next try; 0: now."""
        failed, at = self.seen.get(key) or (0, 0.0)
        past = self._monotonic() - at
        if failed < self._free or past > FORGET_SECONDS:
            return 0.0
        return max(0.0, min(WAIT_SECONDS_MAX, 2.0 ** min(failed - self._free, 20)) - past)

    def failed(self, key: Hashable) -> None:
        now = self._monotonic()
        failed, at = self.seen.get(key) or (0, now)
        self.seen.set(key, (1 if now - at > FORGET_SECONDS else failed + 1, now))

    def passed(self, key: Hashable) -> None:
        self.seen.forget(key)
