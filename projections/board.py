"""The rows of a practice's month, and the order in which they deserve to be looked at.

A row is worth the dollars that its next threshold brings for each minute that is missing to it.
Pure; seconds are exact, dollars are those of the practice's own selection.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import takewhile
from typing import Final, NamedTuple

from domain.assess.prospects import Rung, Threshold
from domain.facts import Month
from projections.forecast import Experience, Forecast, Outlook, forecast

_NOTHING: Final = Decimal(0)

CodeUnit = tuple[str, int]
"""A code with its units, or with the number of one unit."""


@dataclass(frozen=True)
class Row:
    """One patient's month as a board shows it. What follows from its members is worked out once:
    thousands of rows are sorted and summed at every change."""

    patient_id: str
    month: Month
    status: str
    logged: int
    staff: int
    own: int
    """The billing practitioner's own seconds."""
    pooled: int
    """What staff families count: staff, and the practitioner's own where the policy says so."""
    excluded: int
    marks: tuple[Threshold, ...]
    codes: tuple[CodeUnit, ...]
    amount: Decimal | None
    """What the selected option is paid; None where nothing is offered or a figure is not known."""
    held: Decimal
    """What blockers hold back: the option that would be selected without them."""
    ladders: tuple[tuple[Rung, ...], ...]
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    lost: tuple[CodeUnit, ...]
    """Units that were reached and that a correction took back."""
    last_day: date
    """The last of the month on which the patient's time can count."""
    outlook: Outlook

    @cached_property
    def step(self) -> Rung | None:
        """The threshold that the next minutes are best spent on."""
        return best_step(self.ladders)

    @cached_property
    def worth(self) -> Decimal:
        """Dollars for each minute that is missing to `step`; 0 where none can be gained."""
        return worth_of(self.step)

    @cached_property
    def path(self) -> tuple[Rung, ...]:
        """The rungs that bring something, one after the other, on the ladder of `step`."""
        return path_of(self.ladders)

    @property
    def begun(self) -> bool:
        """Whether any second was logged."""
        return self.logged > 0


def worth_of(rung: Rung | None) -> Decimal:
    """Dollars a minute: what the rung brings over the seconds that are missing to it. 0 for one
    that brings nothing, or of which no figure is known."""
    if rung is None or rung.gain is None or rung.gain <= 0:
        return _NOTHING
    return rung.gain * 60 / rung.seconds_to_go


def best_step(ladders: Iterable[tuple[Rung, ...]]) -> Rung | None:
    """Of the nearest rung of each family the one worth most a minute; of those that bring nothing
    the nearest."""
    nearest = [ladder[0] for ladder in ladders]
    return max(nearest, key=lambda r: (worth_of(r), -r.seconds_to_go), default=None)


def path_of(ladders: Iterable[tuple[Rung, ...]]) -> tuple[Rung, ...]:
    """The ladder of the best step, as far as each rung brings something."""
    held = list(ladders)
    step = best_step(held)
    ladder = next((one for one in held if one[0] is step), ())
    return tuple(takewhile(worth_of, ladder))


class Rank(NamedTuple):
    """Where a row stands: ranks ascend down the board."""

    tier: int
    within: Decimal
    patient_id: str


def rank(row: Row) -> Rank:
    """The order of the board.

    0: minutes are worth something, by dollars a minute, highest first. 1: a threshold is ahead but
    its dollars are not known, nearest first. 2: blocked or diverged: no minute helps, a person
    does, by dollars held back. 3: nothing is to be gained, by dollars earned.
    """
    step = row.step
    if row.worth:
        return Rank(0, -row.worth, row.patient_id)
    if row.blockers or row.status == "diverged":
        return Rank(2, -row.held, row.patient_id)
    if step is not None and step.gain is None:
        return Rank(1, Decimal(step.seconds_to_go), row.patient_id)
    return Rank(3, -(row.amount or _NOTHING), row.patient_id)


class Show(StrEnum):
    """What of a board is shown."""

    ALL = "all"
    NEAR = "near"
    LOST = "lost"
    BLOCKED = "blocked"
    EARNED = "earned"
    IDLE = "idle"


def shows(show: Show, row: Row, approaching_seconds: int) -> bool:
    """Whether a row belongs there. Near is a threshold that brings dollars within the practice's
    margin; lost is a unit taken back, or a claim that today's facts no longer support."""
    match show:
        case Show.ALL:
            return True
        case Show.NEAR:
            step = row.step
            return (
                bool(row.worth) and step is not None and step.seconds_to_go <= approaching_seconds
            )
        case Show.LOST:
            return bool(row.lost) or row.status == "diverged"
        case Show.BLOCKED:
            return bool(row.blockers)
        case Show.EARNED:
            return bool(row.codes)
        case Show.IDLE:
            return not row.begun


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums of a board's rows."""

    patients: int = 0
    begun: int = 0
    shown: dict[Show, int] = field(default_factory=dict)
    """Rows by what is shown."""
    codes: dict[str, int] = field(default_factory=dict)
    """Units of each code of the selected options."""
    dollars: Decimal = _NOTHING
    unpriced: int = 0
    """Rows with codes and no known amount: in no sum of dollars."""
    held: Decimal = _NOTHING
    forecast: Forecast | None = None

    @property
    def units(self) -> int:
        """Units of all codes."""
        return sum(self.codes.values())


def totals(rows: Iterable[Row], experience: Experience | None, approaching_seconds: int) -> Totals:
    """The sums; a forecast where there is the experience of two months to make it from."""
    held = list(rows)
    shown = {show: sum(shows(show, row, approaching_seconds) for row in held) for show in Show}
    codes: dict[str, int] = {}
    for code, units in (line for row in held for line in row.codes):
        codes[code] = codes.get(code, 0) + units
    dollars = sum((row.amount or _NOTHING for row in held), _NOTHING)
    foretold = None
    if experience is not None:
        further = Outlook.of(row.outlook for row in held)
        ceiling = sum((rung.gain or _NOTHING for row in held for rung in row.path), _NOTHING)
        foretold = forecast(experience, sum(codes.values()), dollars, further, ceiling)
    return Totals(
        patients=len(held),
        begun=sum(row.begun for row in held),
        shown=shown,
        codes=codes,
        dollars=dollars,
        unpriced=sum(bool(row.codes) and row.amount is None for row in held),
        held=sum((row.held for row in held), _NOTHING),
        forecast=foretold,
    )
