"""The bar that every page has while a person's timer runs, is paused, or waits to be logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from domain.facts import Month
from infra.timers import Timer
from services.pages.ids import part
from services.pages.timer.watch import seconds
from services.pages.timer.watches import Watches

LONG_SECONDS: Final = 7_200
"""A stretch of work without a pause beyond which it is asked about: timers are forgotten."""


@dataclass(frozen=True, slots=True)
class Dial:
    """One timer as it is shown."""

    timer: Timer
    seconds: int
    stretch_seconds: int
    """Of them those since it last began."""
    month: Month

    @property
    def acts(self) -> str:
        """Where its buttons lead, but for the act."""
        return f"/timer/{part(self.timer.practice_id)}/{part(self.timer.patient_id)}"

    @property
    def logs(self) -> str:
        """Where it is logged once it has stopped."""
        address = f"{part(self.timer.practice_id)}/{self.month}/{part(self.timer.patient_id)}"
        return f"/enter/{address}/timer"

    @property
    def is_long(self) -> bool:
        """Whether it has run so long that somebody may have forgotten it."""
        return self.timer.state == "running" and self.stretch_seconds > LONG_SECONDS


@dataclass(frozen=True, slots=True)
class Bar:
    """A person's timers. `first` is the one that runs, else the one that was paused last."""

    first: Dial | None
    others: Sequence[Dial]
    """Paused as well."""
    waiting: Sequence[Dial]
    """Stopped, and not logged yet."""

    @property
    def mark(self) -> str:
        """Stands for all but the seconds: another one means that something was done."""
        dials = (*([self.first] if self.first else []), *self.others, *self.waiting)
        return " ".join(f"{dial.timer.id}.{dial.timer.version}" for dial in dials)

    @property
    def now_open(self) -> Sequence[Dial]:
        return [*([self.first] if self.first else []), *self.others]


def bar_of(watches: Watches, person: str, practices: Sequence[str], month: Month) -> Bar:
    """The person's timers in practices that they see now."""
    now_us = watches.now_us
    dials = [
        Dial(timer, seconds(timer, now_us), _since(timer, now_us), month)
        for timer in watches.of(person)
        if timer.practice_id in practices
    ]
    still_open = [dial for dial in dials if dial.timer.state != "stopped"]
    still_open.sort(key=lambda dial: (dial.timer.state != "running", -_last(dial.timer)))
    waiting = [dial for dial in dials if dial.timer.state == "stopped"]
    return Bar(still_open[0] if still_open else None, still_open[1:], waiting)


def _since(timer: Timer, now_us: int) -> int:
    return max(0, now_us // 1_000_000 - timer.stretches[-1].started_at) if timer.stretches else 0


def _last(timer: Timer) -> int:
    """When it was last begun."""
    return timer.stretches[-1].started_at if timer.stretches else timer.began_at
