"""When a feed counts as bad as a whole, and when it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rejections import Reason, Rejection
from infra.kafka import BreakerLimits
from services.doors.breaker import Breaker, WhollyBadFeed

BAD = Rejection(Reason.NOT_JSON, "it is no JSON")
LIMITS = BreakerLimits(in_a_row=100, percent=50, window=1000)


def results(pattern: str) -> list[Rejection | None]:
    """A word of `b` (refused) and `.` (taken)."""
    return [BAD if letter == "b" else None for letter in pattern]


def taken(breaker: Breaker, pattern: str) -> None:
    breaker.judge(results(pattern))
    breaker.confirm()


def test_so_many_in_a_row_trip_it_across_batches_and_the_reason_is_named() -> None:
    breaker = Breaker(LIMITS)
    taken(breaker, "b" * 60)
    taken(breaker, "b" * 39)
    with pytest.raises(WhollyBadFeed, match="100 messages in a row were refused, mostly as not-j"):
        breaker.judge(results("b"))


def test_one_good_message_begins_the_row_anew() -> None:
    breaker = Breaker(LIMITS)
    for _ in range(4):
        taken(breaker, "b" * 99 + "." * 120)


def test_half_of_the_last_thousand_trip_it_though_never_many_in_a_row() -> None:
    breaker = Breaker(LIMITS)
    taken(breaker, "." * 1000)
    taken(breaker, "b." * 499)
    with pytest.raises(WhollyBadFeed, match="500 of the last 1000"):
        breaker.judge(results("b.b."))


def test_a_share_is_not_looked_at_before_the_window_is_full() -> None:
    taken(Breaker(LIMITS), "b." * 499)


def test_a_batch_that_was_judged_and_not_stored_does_not_count() -> None:
    breaker = Breaker(LIMITS)
    for _ in range(10):
        breaker.judge(results("b" * 60))


def test_limits_of_nothing_never_trip() -> None:
    breaker = Breaker(BreakerLimits(in_a_row=0, percent=0, window=1000))
    for _ in range(3):
        taken(breaker, "b" * 2000)


@given(st.lists(st.text("b.", max_size=12), max_size=30))
def test_it_trips_exactly_when_the_limits_are_reached_however_batches_are_cut(
    batches: list[str],
) -> None:
    """Against the plain reading of the limits, over everything read so far."""
    breaker = Breaker(BreakerLimits(in_a_row=5, percent=60, window=10))
    read = ""
    for batch in batches:
        bad = any(
            (so_far := read + batch[:n]).endswith("b")
            and (so_far.endswith("b" * 5) or (len(so_far) >= 10 and so_far[-10:].count("b") >= 6))
            for n in range(1, len(batch) + 1)
        )
        if not bad:
            taken(breaker, batch)
            read += batch
            continue
        with pytest.raises(WhollyBadFeed):
            breaker.judge(results(batch))
        return
