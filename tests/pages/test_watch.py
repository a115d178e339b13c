"""A timer's arithmetic: no second that was not worked, whatever is pressed and whenever."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.timers import Timer
from services.pages.timer.watch import begun, closed, paused, resumed, seconds, stopped
from tests.thoroughness import examples

T0 = 1_741_000_000_000_000
STEPS = {"pause": paused, "resume": resumed, "stop": stopped}


def fresh(now_us: int = T0) -> Timer:
    return begun("t", "ann", "p1", "pt1", now_us)


def test_pauses_are_not_counted() -> None:
    timer = stopped(resumed(paused(fresh(), T0 + 60_000_000), T0 + 360_000_000), T0 + 400_000_000)
    assert [(s - T0 // 10**6, e - T0 // 10**6) for s, e in timer.stretches if e] == [
        (0, 60),
        (360, 400),
    ]
    assert seconds(timer, T0 + 9_999_000_000) == 100


def test_parts_of_a_second_are_nobodys_work() -> None:
    assert seconds(stopped(fresh(T0 + 900_000), T0 + 1_100_000), T0) == 0
    assert seconds(stopped(fresh(T0 + 1), T0 + 61_999_999), T0) == 60


def test_the_same_press_again_changes_nothing() -> None:
    running, still = fresh(), paused(fresh(), T0 + 60_000_000)
    assert resumed(running, T0 + 5_000_000) is running
    assert paused(still, T0 + 90_000_000) is still
    ended = stopped(still, T0 + 90_000_000)
    assert stopped(ended, T0 + 99_000_000) is ended


def test_a_clock_that_was_set_back_makes_no_time() -> None:
    timer = paused(fresh(), T0 - 60_000_000)
    assert timer.stretches == ()
    again = resumed(paused(fresh(), T0 + 60_000_000), T0 + 10_000_000)
    assert seconds(stopped(again, T0 + 70_000_000), 0) == 70


@settings(max_examples=examples(300))
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 10**8)), max_size=12),
    st.integers(0, 10**6),
)
def test_whatever_is_pressed_it_counts_no_more_than_ran(
    presses: list[tuple[str, int]], offset: int
) -> None:
    now = T0 + offset
    timer, ran = fresh(now), 0
    for name, wait in presses:
        ran += wait if timer.state == "running" else 0
        now += wait
        if timer.state == "stopped":
            break
        timer = STEPS[name](timer, now)
    worked = closed(timer, now)
    assert sum((e or s) - s for s, e in worked) <= ran / 10**6
    ends = [at for each in worked for at in each]
    assert ends == sorted(ends, key=lambda at: at or 0)
