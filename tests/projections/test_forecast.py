"""The forecast is a share of past courses, and its interval holds as often as it says."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.time.calendar import first_day, last_day
from projections.forecast import (
    ALIKE_MIN,
    CONFIDENCE,
    Ahead,
    Course,
    Experience,
    Outlook,
    course,
    cut_of,
    forecast,
    outlook,
    weekdays_from,
)
from tests.thoroughness import examples

MINUTE = 60
LEVELS = (1200, 2400, 3600)
FIRST, FURTHER = Decimal("60.49"), Decimal("45.93")


def same(before: int, added: int, times: int = ALIKE_MIN) -> list[Course]:
    return [Course(before, added, (1200 - before,))] * times


def test_a_chance_is_the_share_of_those_alike_who_were_given_enough() -> None:
    month = same(900, 300, 20) + same(900, 0, 20)
    experience = Experience([month, month])
    assert experience.chance(900, 0, 300) == 0.5
    assert experience.chance(900, 0, 301) == 0.0
    assert experience.chance(930, 0, 300) == 0.5


def test_those_alike_come_before_all_others() -> None:
    month = same(900, 300) + same(60, 0, 500)
    assert Experience([month, month]).chance(840, 0, 300) == 1.0


def test_what_today_has_given_already_is_not_expected_again() -> None:
    """Ten minutes were the most that anybody was given; eight of them have been given today."""
    month = same(600, 600)
    experience = Experience([month, month])
    assert experience.chance(600, 480, 120) == 1.0
    assert experience.chance(600, 480, 121) == 0.0
    assert experience.chance(600, 601, 1) == 0.0


@settings(deadline=None, max_examples=examples(60))
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 4000)), min_size=ALIKE_MIN),
    st.integers(0, 5000),
    st.integers(0, 2000),
    st.lists(st.integers(1, 3000), min_size=2, max_size=4),
)
def test_chances_are_chances_and_fall_with_the_distance(
    courses: list[tuple[int, int]], before: int, since: int, gaps: list[int]
) -> None:
    experience = Experience([[Course(*pair) for pair in courses]])
    found = [experience.chance(before, since, gap) for gap in sorted(gaps)]
    assert found == sorted(found, reverse=True)
    assert all(0.0 <= chance <= 1.0 for chance in found)


def test_an_outlook_is_exact_for_few_outcomes() -> None:
    """Half reach one rung, a quarter the next: 60.49 and then 45.93 more."""
    month = same(900, 300, 10) + same(900, 1500, 10) + same(900, 0, 20)
    found = outlook(Experience([month]), 900, 0, [Ahead(300, FIRST), Ahead(1500, FURTHER)])
    outcomes = [0.0, 0.0, 60.49, 60.49 + 45.93]
    mean = sum(outcomes) / 4
    assert found.units == 0.75
    assert found.dollars == pytest.approx(mean)
    assert found.dollars_variance == pytest.approx(sum((o - mean) ** 2 for o in outcomes) / 4)


def test_without_two_months_of_its_own_there_is_no_forecast() -> None:
    for months in ([], [same(900, 300)], [same(900, 300), same(900, 300, ALIKE_MIN - 1)]):
        assert forecast(Experience(months), 3, FIRST, Outlook(), Decimal(0)) is None


def test_months_that_went_on_in_the_same_way_leave_no_doubt() -> None:
    experience = Experience([same(900, 300)] * 2)
    more = outlook(experience, 900, 0, [Ahead(300, FIRST)])
    found = forecast(experience, 1, FIRST, more, FIRST)
    assert found is not None
    assert found.codes == (2.0, 2.0, 2.0)
    assert found.dollars == pytest.approx((120.98, 120.98, 120.98))


def test_months_that_went_on_differently_widen_the_interval() -> None:
    experience = Experience([same(900, 300), same(900, 0)])
    more = outlook(experience, 900, 0, [Ahead(300, FIRST)])
    found = forecast(experience, 0, Decimal(0), more, FIRST)
    assert found is not None
    assert found.dollars.low == 0.0
    assert found.dollars.high == pytest.approx(60.49)


def month_of(rng: random.Random, pace: float, patients: int = 150) -> list[Course]:
    """A practice that calls at random, more in some months than in others, and never looks."""
    found = []
    for _ in range(patients):
        before = sum(rng.randrange(240, 900) for _ in range(12) if rng.random() < 0.15 * pace)
        added = sum(rng.randrange(240, 900) for _ in range(10) if rng.random() < 0.15 * pace)
        found.append(Course(before, added, tuple(t - before for t in LEVELS if t > before)))
    return found


def test_the_interval_holds_about_as_often_as_it_says() -> None:
    """Four hundred practices, each month of a pace of its own: foretold from three months."""
    held, worlds = 0, 400
    for seed in range(worlds):
        rng = random.Random(seed)
        *past, now = (month_of(rng, rng.uniform(0.8, 1.2), 60) for _ in range(4))
        experience = Experience(past)
        further = Outlook.of(
            outlook(experience, c.before, 0, [Ahead(gap, FIRST) for gap in c.gaps]) for c in now
        )
        found = forecast(experience, 0, Decimal(0), further, Decimal(10**6))
        assert found is not None
        came = sum(gap <= c.added for c in now for gap in c.gaps)
        held += found.codes.low <= came <= found.codes.high
    assert CONFIDENCE - 0.1 <= held / worlds <= CONFIDENCE + 0.12


@pytest.mark.parametrize(
    ("today", "weekdays", "october", "september"),
    [
        ("2025-11-24", 5, "2025-10-27", "2025-09-24"),
        ("2025-11-29", 0, "2025-11-01", "2025-10-01"),
        ("2025-11-01", 20, "2025-10-06", "2025-09-03"),
    ],
)
def test_a_cut_is_as_many_weekdays_before_the_end(
    today: str, weekdays: int, october: str, september: str
) -> None:
    assert weekdays_from(date.fromisoformat(today)) == weekdays
    assert cut_of("2025-10", weekdays) == date.fromisoformat(october)
    assert cut_of("2025-09", weekdays) == date.fromisoformat(september)


@given(st.dates(date(2011, 1, 1), date(2098, 1, 1)), st.integers(0, 30))
def test_from_the_cut_a_month_has_its_weekdays_or_all_it_has(day: date, weekdays: int) -> None:
    month = f"{day:%Y-%m}"
    cut, last = cut_of(month, weekdays), last_day(month)
    days = [cut + timedelta(days=n) for n in range((last - cut).days + 1)]
    after = sum(d.weekday() < 5 for d in days)
    assert after == weekdays or (cut == first_day(month) and after < weekdays)


def test_a_course_is_cut_by_date() -> None:
    pool = {date(2025, 10, 3): 600, date(2025, 10, 27): 300, date(2025, 10, 30): 500}
    assert course(pool, date(2025, 10, 27), LEVELS) == Course(600, 800, (600, 1800, 3000))
