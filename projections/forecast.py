"""What a running month will come to, from how the practice's own last months went on.

For a patient with so many minutes so long before the month's end, look at the patients of the
last months who had about as many minutes as long before theirs: the share of them who were still
given enough more to reach a threshold is the chance that this one reaches it. That keeps to how
this practice works: whom it calls again, whom it leaves at twenty minutes, what it does in the
last week.

How far whole months stray from that, the same months say: each is foretold from the others and
compared with what it came to. With fewer than two months there is nothing to compare with, and no
forecast.

Pure. Seconds are those of one pool; a cut is the moment from which the rest of a month is looked
at, the same number of weekdays before its end in every month.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cached_property
from math import sqrt
from typing import Final, NamedTuple

from domain.facts import Month
from domain.time.calendar import ONE_DAY, first_day, last_day, month_of

ALIKE_MIN: Final = 30
"""Courses that a chance is read off at least, so that one patient moves it by a thirtieth."""
MONTHS_MIN: Final = 2
MONTHS_MAX: Final = 3
"""Older ones say less about how the practice works today."""
CONFIDENCE: Final = 0.8
_NO_DOLLARS: Final = Decimal(0)
_QUANTILES: Final = (3.078, 1.886, 1.638, 1.533, 1.476, 1.440)
"""Student's t at 0.9 for 1, 2, … degrees of freedom: few months know little about their spread."""


class Course(NamedTuple):
    """One patient's past month seen from the cut.

    `gaps` are seconds from the cut to each threshold that was still ahead, ascending.
    """

    before: int
    added: int
    gaps: tuple[int, ...] = ()


class Ahead(NamedTuple):
    """A threshold ahead in the running month: seconds from now, dollars over the one before."""

    seconds_to_go: int
    gain: Decimal


class Outlook(NamedTuple):
    """Expected further units and dollars and their variances; sums of patients are sums of it."""

    units: float = 0.0
    units_variance: float = 0.0
    dollars: float = 0.0
    dollars_variance: float = 0.0

    @classmethod
    def of(cls, outlooks: Iterable[Outlook]) -> Outlook:
        """The sum of these."""
        held = list(outlooks)
        return cls(*(sum(column) for column in zip(*held, strict=True))) if held else cls()


class Span(NamedTuple):
    """A figure at the month's end: expected, and the bounds of the interval."""

    low: float
    expected: float
    high: float


class Forecast(NamedTuple):
    """The month's end if the practice goes on as it did and nothing is taken back.

    The bounds hold in about four months of five (`CONFIDENCE`).
    """

    codes: Span
    dollars: Span
    months: int
    """How many past months it rests on."""


class Experience:
    """How months went on from the cut; immutable."""

    def __init__(self, months: Iterable[Sequence[Course]]) -> None:
        """One sequence of courses a month; months of fewer than `ALIKE_MIN` are left aside."""
        self._months = [list(month) for month in months if len(month) >= ALIKE_MIN]
        self._by_minute: dict[int, list[int]] = {}
        for month in self._months:
            for course in month:
                self._by_minute.setdefault(course.before // 60, []).append(course.added)
        self._alike: dict[int, list[int]] = {}

    @classmethod
    def learned(cls, months: Iterable[Sequence[Course]], spread: float | None) -> Experience:
        """One of which the spread is known already."""
        found = cls(months)
        found.spread = spread
        return found

    @property
    def courses(self) -> list[list[Course]]:
        """What it rests on, month by month."""
        return self._months

    @property
    def months(self) -> int:
        """How many months it holds."""
        return len(self._months)

    def chance(self, before: int, since: int, seconds_to_go: int) -> float:
        """Of those alike at the cut who were given at least `since` seconds after it, as this
        patient was by now, the share who were given `seconds_to_go` more."""
        added = self._added_to(before // 60)
        still = len(added) - bisect_left(added, since)
        if still == 0:
            return 0.0
        return (len(added) - bisect_left(added, since + seconds_to_go)) / still

    @cached_property
    def spread(self) -> float | None:
        """By which share whole months go on better or worse than foretold, beyond what the luck of
        single patients explains: each month is foretold from the others. None with fewer than two.
        """
        if self.months < MONTHS_MIN:
            return None
        squares = [self._square_of_error(number) for number in range(self.months)]
        return sqrt(max(0.0, sum(squares) / len(squares)))

    def _square_of_error(self, number: int) -> float:
        others = Experience(m for n, m in enumerate(self._months) if n != number)
        foretold = Outlook.of(
            outlook(others, c.before, 0, [Ahead(gap, _NO_DOLLARS) for gap in c.gaps])
            for c in self._months[number]
        )
        came = sum(gap <= c.added for c in self._months[number] for gap in c.gaps)
        expected = max(foretold.units, 1.0)
        return ((came - foretold.units) ** 2 - foretold.units_variance) / expected**2

    def _added_to(self, minute: int) -> list[int]:
        """What those were given who stood nearest to so many minutes, ascending."""
        found = self._alike.get(minute)
        if found is None:
            found = self._alike[minute] = sorted(self._nearest(minute))
        return found

    def _nearest(self, minute: int) -> list[int]:
        found = list(self._by_minute.get(minute, ()))
        reach = max(self._by_minute, default=0) + minute + 1
        for away in range(1, reach + 1):
            if len(found) >= ALIKE_MIN:
                break
            found += self._by_minute.get(minute - away, ())
            found += self._by_minute.get(minute + away, ())
        return found


def cut_of(month: Month, weekdays: int) -> date:
    """The day from which on a month still has so many weekdays; its first day where it never had
    as many."""
    days = _weekdays(first_day(month))
    if weekdays > len(days):
        return first_day(month)
    return days[-weekdays] if weekdays else days[-1] + ONE_DAY


def weekdays_from(today: date) -> int:
    """Weekdays of the month from this day on, itself included."""
    return len(_weekdays(today))


def _weekdays(first: date) -> list[date]:
    """Those from this day to its month's end."""
    last = last_day(month_of(first))
    days = (date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1))
    return [day for day in days if day.weekday() < 5]


def course(pool: Mapping[date, int], cut: date, thresholds: Iterable[int]) -> Course:
    """A past month's seconds by date, cut."""
    before = sum(seconds for day, seconds in pool.items() if day < cut)
    added = sum(pool.values()) - before
    return Course(before, added, tuple(t - before for t in sorted(thresholds) if t > before))


def outlook(experience: Experience, before: int, since: int, ahead: Sequence[Ahead]) -> Outlook:
    """One patient's further units: `before` and `since` are seconds until today and today, `ahead`
    the thresholds of one family, nearest first."""
    units = dollars = units_square = dollars_square = 0.0
    below = 0.0
    for number, rung in enumerate(ahead):
        chance, gain = experience.chance(before, since, rung.seconds_to_go), float(rung.gain)
        units += chance
        units_square += chance * (2 * number + 1)
        dollars += chance * gain
        dollars_square += chance * gain * (gain + 2 * below)
        below += gain
    return Outlook(units, units_square - units * units, dollars, dollars_square - dollars * dollars)


def forecast(
    experience: Experience, codes: int, dollars: Decimal, further: Outlook, ceiling: Decimal
) -> Forecast | None:
    """The month's end: what is earned now and the sum of all outlooks. `ceiling` is what all
    thresholds ahead would bring. None without two past months of its own."""
    spread = experience.spread
    if spread is None:
        return None
    quantile = _QUANTILES[min(experience.months, len(_QUANTILES)) - 1]

    def span(now: float, more: float, variance: float, most: float) -> Span:
        wide = quantile * sqrt(max(variance, 0.0) + (spread * more) ** 2)
        return Span(now + max(0.0, more - wide), now + more, now + min(most, more + wide))

    return Forecast(
        span(codes, further.units, further.units_variance, float("inf")),
        span(float(dollars), further.dollars, further.dollars_variance, float(ceiling)),
        experience.months,
    )
