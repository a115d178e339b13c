"""Times as people write them: what a form shows of an instant reads back as that instant."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.time.calendar import local_date
from services.pages.enter.clockwords import Unclear, clock_text, instant, length, length_text
from services.wire.instants import END_SECOND, FIRST_SECOND
from services.wire.scalars import TIME_ZONES
from tests.given import instant as at
from tests.thoroughness import examples

BACK = at("2025-11-02T05:00:00Z")
"""An hour before the clocks of New York go back."""


@settings(max_examples=examples(400))
@given(
    st.one_of(st.integers(FIRST_SECOND, END_SECOND - 1), st.integers(BACK, BACK + 10_800)),
    st.one_of(st.just("America/New_York"), st.sampled_from(sorted(TIME_ZONES))),
)
def test_every_second_reads_back_as_itself(second: int, timezone: str) -> None:
    day = local_date(second, timezone)
    assert instant(day, clock_text(second, timezone), timezone) == second


@settings(max_examples=examples(100))
@given(st.integers(1, 40 * 86_400))
def test_every_length_reads_back_as_itself(seconds: int) -> None:
    assert length(length_text(seconds)) == seconds


@pytest.mark.parametrize("text", ["9:15", "0915", "915", "09:15:00", "09:15-05:00", "9:15 -05:00"])
def test_people_write_times_in_many_ways(text: str) -> None:
    found = instant(date(2025, 3, 5), text, "America/New_York")
    assert found == at("2025-03-05T09:15:00-05:00")


@pytest.mark.parametrize(
    "text", ["", "9", "24:00", "09:60", "9.15", "nine", "09:15 pm", "09:15-04:00", "٠٩:١٥"]
)
def test_what_is_no_time_there_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Unclear):
        instant(date(2025, 3, 5), text, "America/New_York")


@pytest.mark.parametrize("text", ["", "0", "0:00", "-5", "2.5", "1:60", "1:5", "1e3", "1234567"])
def test_what_is_no_length_is_said_to_be_none(text: str) -> None:
    with pytest.raises(Unclear):
        length(text)


@pytest.mark.parametrize(
    ("text", "utc"),
    [("01:30-04:00", "2025-11-02T05:30:00Z"), ("01:30-05:00", "2025-11-02T06:30:00Z")],
)
def test_a_time_that_came_twice_has_its_offset(text: str, utc: str) -> None:
    day = date(2025, 11, 2)
    assert instant(day, text, "America/New_York") == at(utc)
    assert clock_text(at(utc), "America/New_York") == text
    with pytest.raises(Unclear, match="came twice"):
        instant(day, "01:30", "America/New_York")
