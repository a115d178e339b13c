"""The slider through recorded time: its stops, and what differs between two moments of a page."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, Protocol

from infra.codec import instant_text
from services.audit.telling import Told
from services.views.record import Known

Against = Literal["now", "before"]
AGAINST: Final[tuple[Against, ...]] = ("now", "before")

NOT_THEN: Final = "not known then"
NOT_NOW: Final = "no longer so"


class Row(Protocol):
    """A line of a page: which one it is, and what it says. Equal words: nothing changed."""

    @property
    def key(self) -> str: ...
    @property
    def says(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Stop:
    """A moment at which something that can matter to the month was recorded."""

    number: int
    at_us: int
    at: str
    """RFC 3339, as `--as-of` takes it."""
    events: tuple[Told, ...]
    alerts: int
    """Transitions recorded at that moment."""


def stops(known: Known) -> tuple[Stop, ...]:
    """Every moment there is, oldest first. What was recorded at no known time has none."""
    events = [
        (event.recorded_at_us, known.told[event.key])
        for event in known.bearing
        if event.recorded_at_us is not None
    ]
    moves = [(move.recorded_at_us, None) for move in known.moves]
    moments = groupby(sorted([*events, *moves], key=lambda pair: pair[0]), key=lambda pair: pair[0])
    found = []
    for number, (at_us, pairs) in enumerate(moments):
        told = [each for _, each in pairs]
        facts = tuple(each for each in told if each is not None)
        found.append(Stop(number, at_us, instant_text(at_us), facts, len(told) - len(facts)))
    return tuple(found)


def stop_at(found: Sequence[Stop], at_us: int | None) -> int:
    """The number of the last stop by then; -1 before the first one."""
    if at_us is None:
        return len(found) - 1
    return bisect_right([stop.at_us for stop in found], at_us) - 1


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs on the shown page from another moment's.

    `marks` has, by key, what is to be said beside a row that differs. `missing` are rows of the
    other moment that the shown page does not have: label and words.
    """

    against: Against
    marks: dict[str, str]
    missing: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.marks or self.missing)


def difference(shown: Iterable[Row], other: Iterable[Row], against: Against) -> Difference:
    """Mark the shown rows against those of now, or of the stop before."""
    here = {row.key: row.says for row in shown}
    there = {row.key: row.says for row in other}
    only_here = NOT_NOW if against == "now" else "new"
    then = "now" if against == "now" else "before"
    marks = {
        key: f"{then}: {there[key]}" if key in there else only_here
        for key, says in here.items()
        if there.get(key) != says
    }
    missing = tuple((key, says) for key, says in there.items() if key not in here)
    return Difference(against, marks, missing)


NOTHING: Final = Difference("now", {}, ())
