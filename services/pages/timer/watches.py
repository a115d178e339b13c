"""Everybody's timers: what people do with them, from any tab and any process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal
from uuid import uuid4

from infra.clock import Clock
from infra.timers import Timer, Timers
from services.ingest import Busy
from services.pages.timer.watch import begun, paused, resumed, stopped

Switch = Literal["", "pause", "stop"]
"""What becomes of the timer that runs when another is to run; empty: it runs on."""
TRIES_MAX: Final = 10


class RunsElsewhere(Exception):
    """Another timer of this person runs; nothing was changed."""

    def __init__(self, other: Timer) -> None:
        super().__init__("another timer of this person runs")
        self.other = other


class NoSuchTimer(Exception):
    """It is not there (any more): logged, dropped, or of somebody else."""


class Watches:
    """A person's timers by what they do. Two that act at once end with what one after the other
    would have done: each act looks again where a row was not as it had read it."""

    def __init__(self, timers: Timers, clock: Clock) -> None:
        self._timers, self._clock = timers, clock

    @property
    def now_us(self) -> int:
        return self._clock()

    def of(self, person: str) -> list[Timer]:
        """All of them, the oldest first."""
        return self._timers.of(person)

    def start(self, person: str, practice: str, patient: str, switch: Switch = "") -> Timer:
        """Measure for this patient, going on with what is paused. Raises RunsElsewhere, Busy."""

        def attempt() -> Timer | None:
            mine = self.of(person)
            there = [t for t in mine if (t.practice_id, t.patient_id) == (practice, patient)]
            still_open = next((t for t in there if t.state != "stopped"), None)
            if still_open is not None:
                return self._run(mine, still_open, switch)
            new = begun(uuid4().hex, person, practice, patient, self.now_us)
            return new if self._timers.write(*self._making_way(mine, switch), new) else None

        return _tried(attempt)

    def resume(self, person: str, timer_id: str, switch: Switch = "") -> Timer:
        """Raises NoSuchTimer, RunsElsewhere, Busy."""

        def attempt() -> Timer | None:
            mine = self.of(person)
            return self._run(mine, _open(mine, timer_id), switch)

        return _tried(attempt)

    def pause(self, person: str, timer_id: str) -> Timer:
        """Raises NoSuchTimer, Busy."""
        return self._changed(person, timer_id, paused)

    def stop(self, person: str, timer_id: str) -> Timer:
        """It waits to be logged. Raises NoSuchTimer, Busy."""
        return self._changed(person, timer_id, stopped)

    def remove(self, person: str, timer_id: str) -> bool:
        """It was logged, or is not to be. Whether there was one of this person."""
        mine = any(timer.id == timer_id for timer in self.of(person))
        return mine and self._timers.remove(timer_id)

    def _changed(self, person: str, timer_id: str, change: Callable[[Timer, int], Timer]) -> Timer:
        def attempt() -> Timer | None:
            timer = _one(self.of(person), timer_id)
            after = change(timer, self.now_us)
            return after if after is timer or self._timers.write(after) else None

        return _tried(attempt)

    def _run(self, mine: list[Timer], timer: Timer, switch: Switch) -> Timer | None:
        if timer.state == "running":
            return timer
        after = resumed(timer, self.now_us)
        return after if self._timers.write(*self._making_way(mine, switch), after) else None

    def _making_way(self, mine: list[Timer], switch: Switch) -> list[Timer]:
        running = [timer for timer in mine if timer.state == "running"]
        if running and not switch:
            raise RunsElsewhere(running[0])
        end = stopped if switch == "stop" else paused
        return [end(timer, self.now_us) for timer in running]


def _one(mine: list[Timer], timer_id: str) -> Timer:
    found = next((timer for timer in mine if timer.id == timer_id), None)
    if found is None:
        raise NoSuchTimer
    return found


def _open(mine: list[Timer], timer_id: str) -> Timer:
    found = _one(mine, timer_id)
    if found.state == "stopped":
        raise NoSuchTimer
    return found


def _tried(attempt: Callable[[], Timer | None]) -> Timer:
    for _ in range(TRIES_MAX):
        done = attempt()
        if done is not None:
            return done
    raise Busy("this timer is being changed from elsewhere")
