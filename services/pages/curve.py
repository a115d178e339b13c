"""How the month's counted time grew, day by day, beside the thresholds it is measured by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from domain.assess.counting import count, standing_entries
from domain.assess.families import pool_of
from domain.explain.explanation import Ladder
from domain.time.calendar import last_day
from services.pages.rungs import POOLS
from services.pages.words import minutes
from services.views.record import Known

WIDTH: Final = 440
HEIGHT: Final = 176
LEFT, RIGHT, TOP, BOTTOM = 8, 138, 12, 22
HEADROOM: Final = 1.06
LABEL_APART: Final = 13.0


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold: where it is drawn, where its words stand, and whether it was reached."""

    y: float
    label_y: float
    label: str
    reached: bool


@dataclass(frozen=True, slots=True)
class Curve:
    """One pool's seconds over the days of the month; `path` is an SVG path."""

    pool: str
    total: str
    path: str
    area: str
    days: tuple[tuple[float, int], ...]
    lines: tuple[Line, ...]


def curves(known: Known) -> tuple[Curve, ...]:
    """A curve for each pool that holds time; where none does, one for the first."""
    entries = known.patient.entries.in_month(known.answer.month).values()
    tally = count(known.context, *standing_entries(entries))
    by_pool: dict[str, list[Ladder]] = {}
    for ladder in known.explained.ladders:
        if ladder.pool:
            by_pool.setdefault(ladder.pool, []).append(ladder)
    filled = {pool: own for pool, own in by_pool.items() if own[0].seconds} or by_pool
    shown = filled if filled is not by_pool else dict(list(by_pool.items())[-1:])
    rules = {family.rule.family: family.rule.pool for family in known.context.families}
    return tuple(
        _curve(known, pool, own, pool_of(tally, rules[own[0].family], known.policy))
        for pool, own in shown.items()
    )


def _curve(known: Known, pool: str, ladders: list[Ladder], by_day: Mapping[date, int]) -> Curve:
    last = last_day(known.answer.month)
    total = sum(by_day.values())
    steps = [step for ladder in ladders for step in ladder.steps]
    top = max([total, *(step.threshold_seconds for step in steps), 1]) * HEADROOM

    def x(day: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - 1) / (last.day - 1 or 1), 1)

    def y(seconds: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * seconds / top, 1)

    path, running = f"M{x(1)} {y(0)}", 0
    for day, seconds in sorted(by_day.items()):
        running += seconds
        path += f"H{x(day.day)}V{y(running)}"
    path += f"H{x(last.day)}"
    labels = {(step.threshold_seconds): [] for step in steps}  # type: dict[int, list[str]]
    for step in steps:
        labels[step.threshold_seconds].append(_named(step.code, step.unit))
    lines = [
        (y(goal), f"{minutes(goal)}  {', '.join(dict.fromkeys(names))}", total >= goal)
        for goal, names in sorted(labels.items())
    ]
    return Curve(
        pool=POOLS[pool],
        total=minutes(total),
        path=path,
        area=f"{path}V{y(0)}Z",
        days=tuple((x(day), day) for day in (1, 8, 15, 22, last.day)),
        lines=tuple(_apart(lines)),
    )


def _apart(lines: list[tuple[float, str, bool]]) -> Iterator[Line]:
    """Words of neighbouring thresholds never lie over each other."""
    free = float(HEIGHT)
    for y, label, reached in lines:
        label_y = min(y + 4, free)
        free = label_y - LABEL_APART
        yield Line(y, round(label_y, 1), label, reached)


def _named(code: str, unit: int) -> str:
    return code if unit == 1 else f"{code} ×{unit}"
