"""Months and local midnights. Every answer is a pure function of its arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from domain.facts import Instant, Month

ONE_DAY = timedelta(days=1)
SECONDS_A_DAY = 86_400
WIDEST_OFFSET_SECONDS = 14 * 3_600
"""No zone has ever been further from UTC than this (civil zones since 2010)."""


def month_of(day: date) -> Month:
    """The calendar month a date falls in."""
    return day.isoformat()[:7]


@lru_cache(maxsize=4_096)
def first_day(month: Month) -> date:
    return date(int(month[:4]), int(month[5:]), 1)


@lru_cache(maxsize=4_096)
def last_day(month: Month) -> date:
    return first_day(following(month)) - ONE_DAY


@lru_cache(maxsize=4_096)
def following(month: Month) -> Month:
    """The month after."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + 1:04d}-01" if number == 12 else f"{year:04d}-{number + 1:02d}"


def months_between(first: Month, last: Month) -> Iterator[Month]:
    """Every month from `first` to `last`, both included; none when `last` is earlier."""
    while first <= last:
        yield first
        first = following(first)


def a_year_before(day: date) -> date:
    """The same day one year earlier; 29 February answers 28 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


@lru_cache(maxsize=1_024)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


@lru_cache(maxsize=65_536)
def midnight(day: date, timezone: str) -> Instant:
    """The first instant of a local day, also where clocks skip or repeat midnight."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone(timezone)).timestamp())


class LocalDay(NamedTuple):
    """The instants of one local date, or those of them that are asked for."""

    start: Instant
    end: Instant
    day: date


class LocalDays(NamedTuple):
    """Days in order of time, and their ends alone, to be searched."""

    days: tuple[LocalDay, ...]
    ends: tuple[Instant, ...]

    @classmethod
    def of(cls, days: Iterable[LocalDay]) -> LocalDays:
        held = tuple(days)
        return cls(held, tuple([day.end for day in held]))


@lru_cache(maxsize=4_096)
def days_of_month(month: Month, timezone: str) -> LocalDays:
    """Each whole local day of a month."""
    day, after = first_day(month), last_day(month) + ONE_DAY
    days = []
    while day < after:
        tomorrow = day + ONE_DAY
        days.append(LocalDay(midnight(day, timezone), midnight(tomorrow, timezone), day))
        day = tomorrow
    return LocalDays.of(days)


def local_date(instant: Instant, timezone: str) -> date:
    return datetime.fromtimestamp(instant, zone(timezone)).date()


@lru_cache(maxsize=65_536)
def _utc_month(day_number: int) -> Month:
    return month_of(date(1970, 1, 1) + timedelta(days=day_number))


def months_possible(started_at: Instant, ended_at: Instant) -> tuple[Month, ...]:
    """Every month that an interval may touch in any zone; usually one."""
    first_day = (started_at - WIDEST_OFFSET_SECONDS) // SECONDS_A_DAY
    return months_of_days(first_day, (ended_at + WIDEST_OFFSET_SECONDS) // SECONDS_A_DAY)


def months_of_days(first_day: int, last_day: int) -> tuple[Month, ...]:
    """Every month of these days, which are counted from 1970-01-01."""
    first, last = _utc_month(first_day), _utc_month(last_day)
    return (first,) if first == last else tuple(months_between(first, last))
