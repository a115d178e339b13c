"""The breaker: a feed that has gone bad as a whole waits in Kafka instead of filling dead letters.

A few bad messages are the business of dead letters. A feed in which nearly everything is refused
(another format, a producer gone wrong, the wrong topic) needs a person, and what waits in Kafka is
easier to take up again than what was dead-lettered one by one. What waits for review says nothing
against its feed.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from itertools import repeat
from typing import NamedTuple

from domain.rejections import FOR_REVIEW, Rejection
from infra.kafka import BreakerLimits

Results = Sequence[Rejection | None]


class WhollyBadFeed(Exception):
    """Too much of the feed is refused. Nothing of the batch that showed it was written."""


class _Seen(NamedTuple):
    """What was read so far: refused messages in a row, and of the last ones which were refused."""

    row: int
    last: deque[bool]
    refused: int


class Breaker:
    """Counts what becomes of one process's messages. Begins with a clean slate at every start."""

    def __init__(self, limits: BreakerLimits) -> None:
        self._limits = limits
        self._seen = self._judged = _Seen(0, deque(maxlen=max(1, limits.window)), 0)

    def judge(self, results: Results) -> None:
        """Look at a batch before it is written. Raises WhollyBadFeed."""
        row, last, refused = self._seen
        last = last.copy()
        if results.count(None) == len(results):  # as it should be, and nearly always is
            last.extend(repeat(False, len(results)))
            self._judged = _Seen(0 if results else row, last, sum(last))
            return
        for result in results:
            bad = result is not None and result.reason not in FOR_REVIEW
            row = row + 1 if bad else 0
            refused += bad - (len(last) == last.maxlen and last[0])
            last.append(bad)
            if bad:
                self._check(row, refused, len(last), results)
        self._judged = _Seen(row, last, refused)

    def confirm(self) -> None:
        """The batch that was judged last is durable."""
        self._seen = self._judged

    def _check(self, row: int, refused: int, read: int, results: Results) -> None:
        limits = self._limits
        if limits.in_a_row and row >= limits.in_a_row:
            found = f"{row} messages in a row were refused"
        elif limits.percent and read >= limits.window and refused * 100 >= limits.percent * read:
            found = f"{refused} of the last {read} messages were refused"
        else:
            return
        raise WhollyBadFeed(f"{found}, mostly as {_commonest(results)}")


def _commonest(results: Results) -> str:
    reasons = Counter(
        result.reason.value
        for result in results
        if result is not None and result.reason not in FOR_REVIEW
    )
    return reasons.most_common(1)[0][0]
