"""The month's time as a picture: days down, hours across, one lane a person; figures in SVG units.

Nothing is drawn that the table beside it does not say.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Final

from domain.time.calendar import zone
from services.pages.timetable import Span
from services.pages.words import day_words, minutes
from services.views.record import Known

LABEL: Final = 176
HOURS: Final = 560
GAP: Final = 28
GUTTER: Final = 96
"""Where work without clock times is drawn by its length alone."""
TOTAL: Final = 116
WIDTH: Final = LABEL + HOURS + GAP + GUTTER + TOTAL
TOP: Final = 28
LANE: Final = 18
BAR: Final = 12
BETWEEN: Final = 10
HOURS_LEAST: Final = 8
BAR_LEAST: Final = 2.0
"""A bar of a few seconds is still to be seen."""


@dataclass(frozen=True, slots=True)
class Bar:
    """`look` is counted, own (left out, but counted in the practitioner's own pool) or left-out."""

    x: float
    y: float
    width: float
    role: str
    look: str
    title: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One person's line of a day."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class DayPicture:
    y: float
    height: float
    label: str
    lanes: tuple[Lane, ...]
    bars: tuple[Bar, ...]
    running: str
    reached: str
    """Codes whose threshold was reached on the day."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`hours` are the grid's lines with their words; `days` those on which anybody worked."""

    width: int
    height: float
    hours: tuple[tuple[float, str], ...]
    days: tuple[DayPicture, ...]
    roles: tuple[str, ...]


def picture(known: Known, rows: Sequence[Span]) -> Picture | None:
    """The picture of these rows; None where nobody worked."""
    if not rows:
        return None
    first, last = _window(known, rows)
    scale = _Scale(known, first, last, _gutter(rows))
    days: list[DayPicture] = []
    y = float(TOP)
    for day, of_day in groupby(rows, key=lambda row: row.day):
        made = scale.day(day, list(of_day), y)
        days.append(made)
        y = made.y + made.height + BETWEEN
    step = 1 if last - first <= 10 else 2
    hours = tuple((scale.x(hour), f"{hour:02d}") for hour in range(first, last + 1, step))
    roles = tuple(sorted({row.role for row in rows}))
    return Picture(WIDTH, y, hours, tuple(days), roles)


def _hour(known: Known, row: Span) -> float:
    """When a row begins on that day's clock on the wall, in hours."""
    assert row.started_at is not None
    timezone = known.context.timeline.timezone_on(row.day)
    at = datetime.fromtimestamp(row.started_at, UTC).astimezone(zone(timezone))
    return at.hour + at.minute / 60 + at.second / 3600


def _window(known: Known, rows: Iterable[Span]) -> tuple[int, int]:
    """The whole hours that hold all clocked work, at least a working day."""
    begun = [(_hour(known, row), row.seconds / 3600) for row in rows if row.begins]
    first = min((int(begin) for begin, _ in begun), default=9)
    last = max((int(-(-(begin + length) // 1)) for begin, length in begun), default=17)
    while last - first < HOURS_LEAST:
        first, last = max(0, first - 1), min(24, last + 1)
    return first, min(24, last)


@dataclass(frozen=True, slots=True)
class _Scale:
    known: Known
    first: int
    last: int
    gutter_seconds: int
    """Of the work without clock times: so much of it fills the gutter."""

    def x(self, hour: float) -> float:
        share = (hour - self.first) / (self.last - self.first)
        return round(LABEL + HOURS * min(max(share, 0.0), 1.0), 1)

    def day(self, day: date, rows: list[Span], top: float) -> DayPicture:
        lanes = _lanes(rows)
        bars = [bar for number, lane in enumerate(lanes) for bar in self._bars(lane, top, number)]
        steps = [step for ladder in self.known.explained.ladders for step in ladder.steps]
        reached = [
            step.code if step.unit == 1 else f"{step.code} ×{step.unit}"
            for step in steps
            if step.reached_on == day
        ]
        return DayPicture(
            y=top,
            height=LANE * len(lanes),
            label=day_words(day),
            lanes=tuple(Lane(top + LANE * n, lane[0].performer) for n, lane in enumerate(lanes)),
            bars=tuple(bars),
            running=minutes(rows[-1].running),
            reached=", ".join(dict.fromkeys(reached)),
        )

    def _bars(self, lane: list[Span], top: float, number: int) -> Iterator[Bar]:
        y, gutter = top + LANE * number, float(LABEL + HOURS + GAP)
        for row in lane:
            if row.started_at is None:
                x, width = gutter, GUTTER * row.seconds / self.gutter_seconds
                gutter += width
            else:
                begin = _hour(self.known, row)
                x = self.x(begin)
                width = self.x(begin + row.seconds / 3600) - x
            look = "counted" if row.counts else "own" if row.in_own_pool else "left-out"
            title = f"{row.performer}, {day_words(row.day)}, {row.when}: {minutes(row.seconds)}, "
            width = round(max(width, BAR_LEAST), 1)
            yield Bar(round(x, 1), y, width, row.role, look, title + row.fate)


def _lanes(rows: list[Span]) -> list[list[Span]]:
    """A day's rows by person; who worked on two entries at once gets a line for each."""
    lanes: list[list[Span]] = []
    for _, group in groupby(sorted(rows, key=_person), key=_person):
        own: list[list[Span]] = []
        entries: dict[str, list[Span]] = {}
        for row in group:
            entries.setdefault(row.entry_id, []).append(row)
        for entry in entries.values():
            free = next((lane for lane in own if _follows(lane[-1], entry[0])), None)
            if free is None:
                own.append(entry)
            else:
                free += entry
        lanes += own
    return lanes


def _person(row: Span) -> tuple[str, str]:
    return (row.performer, row.role)


def _follows(last: Span, row: Span) -> bool:
    if last.started_at is None or row.started_at is None:
        return True
    return last.started_at + last.seconds <= row.started_at


def _gutter(rows: Iterable[Span]) -> int:
    """The most that one person logged without clock times on a day."""
    sums: Counter[tuple[date, tuple[str, str]]] = Counter()
    for row in rows:
        if row.started_at is None:
            sums[row.day, _person(row)] += row.seconds
    return max(sums.values(), default=1)
