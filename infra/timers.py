"""Timers: time that somebody measures and has not logged yet. The rows and their port.

A timer is a person's own note and no fact about a patient: that is what is logged of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, Protocol

from domain.facts import Instant

State = Literal["running", "paused", "stopped"]
FIRST_VERSION: Final = 1


class Stretch(NamedTuple):
    """Work without a pause; `ended_at` is None while it goes on."""

    started_at: Instant
    ended_at: Instant | None


@dataclass(frozen=True, slots=True)
class Timer:
    """What one person measures for one patient. A stopped one waits to be logged."""

    id: str
    person: str
    practice_id: str
    patient_id: str
    state: State
    began_at: Instant
    stretches: tuple[Stretch, ...]
    """In order of time; the last one of a running timer goes on."""
    version: int = FIRST_VERSION


class Timers(Protocol):
    """The rows of one installation. All calls block; what they write is durable when they return.

    They raise what the database's driver raises.
    """

    def of(self, person: str) -> list[Timer]:
        """All of a person, the oldest first."""

    def write(self, *timers: Timer) -> bool:
        """All of them or none. One of the first version is new, any other takes the place of the
        version before it. False, and nothing changed, where one is not as expected any more, where
        a second timer of a person would run, or a second one for a patient would be open."""

    def remove(self, timer_id: str) -> bool:
        """Whether there was one."""
