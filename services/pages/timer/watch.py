"""A timer's own arithmetic: whole seconds that were worked, and never one that was not.

A stretch begins with the next whole second and ends with the last one that is over, so pauses and
fractions are nobody's work. A clock that was set back shortens a stretch and never makes one.
"""

from __future__ import annotations

from dataclasses import replace

from domain.facts import Instant
from infra.timers import State, Stretch, Timer

SECOND_US = 1_000_000


def begun(id: str, person: str, practice: str, patient: str, now_us: int) -> Timer:
    """A new timer that runs."""
    start = _next_second(now_us)
    return Timer(id, person, practice, patient, "running", start, (Stretch(start, None),))


def resumed(timer: Timer, now_us: int) -> Timer:
    """It runs again; a running one is as it was."""
    if timer.state == "running":
        return timer
    ended = [each.ended_at for each in timer.stretches if each.ended_at is not None]
    start = max(_next_second(now_us), *ended) if ended else _next_second(now_us)
    return _next(timer, "running", (*timer.stretches, Stretch(start, None)))


def paused(timer: Timer, now_us: int) -> Timer:
    """It does not run, and goes on later; one that does not run is as it was."""
    return _next(timer, "paused", closed(timer, now_us)) if timer.state == "running" else timer


def stopped(timer: Timer, now_us: int) -> Timer:
    """It waits to be logged."""
    if timer.state == "stopped":
        return timer
    return _next(timer, "stopped", closed(timer, now_us))


def closed(timer: Timer, now_us: int) -> tuple[Stretch, ...]:
    """The stretches as they would be if it stopped now; one of no whole second is left away."""
    end = now_us // SECOND_US
    ends = (Stretch(s, end if e is None else e) for s, e in timer.stretches)
    return tuple(each for each in ends if each.ended_at and each.ended_at > each.started_at)


def seconds(timer: Timer, now_us: int) -> int:
    """Worked so far."""
    found: list[tuple[Instant, Instant | None]] = [*closed(timer, now_us)]
    return sum((end or start) - start for start, end in found)


def _next(timer: Timer, state: State, stretches: tuple[Stretch, ...]) -> Timer:
    return replace(timer, state=state, stretches=stretches, version=timer.version + 1)


def _next_second(now_us: int) -> Instant:
    return -(-now_us // SECOND_US)
