"""When alerts may change by themselves: the boundaries that local months have passed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import NamedTuple

from domain.facts import Boundary, Instant, Month
from domain.policy import Policy
from domain.time.calendar import (
    ONE_DAY,
    last_day,
    local_date,
    midnight,
    month_of,
    months_between,
)
from domain.time.monthends import few_days_from


class Passed(NamedTuple):
    """A boundary of a month that a practice's patients in one time zone passed at `at`."""

    at: Instant
    practice_id: str
    timezone: str
    month: Month
    boundary: Boundary


def boundaries_passed(
    zones: Iterable[tuple[str, str]],
    policy_of: Callable[[str], Policy],
    after: Instant,
    through: Instant,
) -> list[Passed]:
    """Every boundary in (`after`, `through`] of these practices and zones, in order of time."""
    return sorted(
        passed
        for practice, zone in zones
        for passed in _of_zone(practice, zone, policy_of(practice), after, through)
        if after < passed.at <= through
    )


def _of_zone(
    practice: str, zone: str, policy: Policy, after: Instant, through: Instant
) -> Iterator[Passed]:
    first = local_date(after, zone) - ONE_DAY
    last = local_date(through, zone) + timedelta(days=policy.at_risk_days)
    for month in months_between(month_of(first), month_of(last)):
        few = midnight(few_days_from(month, policy.at_risk_days), zone)
        over = midnight(last_day(month) + ONE_DAY, zone)
        if few < over:
            yield Passed(few, practice, zone, month, Boundary.AT_RISK)
        yield Passed(over, practice, zone, month, Boundary.MONTH_OVER)
