"""What follows from an endpoint's answer: done, try again when, or stop asking.

The waits are those of the Standard Webhooks specification, each lengthened by chance so that
endpoints that come back are not met by everything at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from infra.outbound import Answer
from projections.deliveries import DeliveryState

WAITS_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After the first attempt, after the second, and so on; ten attempts in all, over three days."""

JITTER = 0.2
"""A wait is lengthened by up to this part of itself."""

HOLD_SECONDS_MAX = 86_400
SECOND_US = 1_000_000

Chance = Callable[[], float]
"""A number from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of one delivery after an attempt, and of its subscriber.

    `hold_until_us` is 0 where the endpoint asked for no rest; `gone` means it never wants another.
    """

    state: DeliveryState
    attempts: int
    next_at_us: int | None
    hold_until_us: int = 0
    gone: bool = False


def verdict(
    answer: Answer,
    attempts: int,
    now_us: int,
    chance: Chance,
    waits: tuple[float, ...] = WAITS_SECONDS,
) -> Verdict:
    """Judge an answer; `attempts` counts the one that it answers."""
    if 200 <= answer.status < 300:
        return Verdict(DeliveryState.DELIVERED, attempts, None)
    if answer.status == 410:
        return Verdict(DeliveryState.PENDING, attempts - 1, now_us, gone=True)
    hold = now_us + _asked_us(answer, now_us) if _asked_us(answer, now_us) else 0
    if answer.status == 429 and hold:
        # It is well and says when: this was no failed attempt.
        return Verdict(DeliveryState.PENDING, attempts - 1, hold, hold)
    if attempts > len(waits):
        return Verdict(DeliveryState.FAILED, attempts, None, hold)
    wait_us = int(waits[attempts - 1] * (1 + JITTER * chance()) * SECOND_US)
    return Verdict(DeliveryState.PENDING, attempts, max(now_us + wait_us, hold), hold)


def _asked_us(answer: Answer, now_us: int) -> int:
    """The rest that a throttling endpoint asked for: seconds, or a date."""
    if answer.status != 429 and answer.status < 500:
        return 0
    text = answer.retry_after.strip()
    if text.isascii() and text.isdigit():
        seconds = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return 0
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - datetime.fromtimestamp(now_us / SECOND_US, UTC)).total_seconds()
    return int(min(max(seconds, 0.0), HOLD_SECONDS_MAX) * SECOND_US)
