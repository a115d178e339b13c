"""When a month comes to its end: few days are left, it is over, it is long over."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from domain.facts import Instant, Month
from domain.time.calendar import (
    ONE_DAY,
    WIDEST_OFFSET_SECONDS,
    first_day,
    last_day,
    midnight,
    months_possible,
)

LONG_OVER_DAYS = 92
"""A quarter: longer than care is documented and billed late in the ordinary course, shorter than
what a backlog brings. A claim's divergence is told of however old its month is."""


class EndsOfMonth(NamedTuple):
    """Local midnights: few days are left, the month is over, it is long over."""

    few_days: Instant
    over: Instant
    long_over: Instant


NO_DAYS = 0


@lru_cache(maxsize=65_536)
def ends_of_month(month: Month, timezone: str, at_risk_days: int) -> EndsOfMonth:
    """When a month comes to its end somewhere, under a policy's `at_risk_days`."""
    few, after = few_days_from(month, at_risk_days), last_day(month) + ONE_DAY
    long_after = after + LONG_OVER_DAYS * ONE_DAY
    return EndsOfMonth(*(midnight(day, timezone) for day in (few, after, long_after)))


def few_days_from(month: Month, at_risk_days: int) -> date:
    """The local day from whose midnight a month short of its first threshold is at risk; no
    month is before it begins."""
    begins = last_day(month) + ONE_DAY - at_risk_days * ONE_DAY
    return max(begins, first_day(month))


def may_be_at_risk(at_risk_days: int, now: Instant) -> frozenset[Month]:
    """Months that it may be in some zone and that may be at risk: cheap, and enough to look
    closer."""
    return _maybe_at_risk(now // _HOUR, at_risk_days)


_HOUR = 3_600


@lru_cache(maxsize=4_096)
def _maybe_at_risk(hour: int, at_risk_days: int) -> frozenset[Month]:
    """The same for all of an hour, in which no month becomes one of them."""
    now = hour * _HOUR
    ahead = now + WIDEST_OFFSET_SECONDS
    months = months_possible(now, now)
    return frozenset(m for m in months if ahead >= ends_of_month(m, "UTC", at_risk_days).few_days)
