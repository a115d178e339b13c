"""What a month's close has to show: ready, diverged, claimed, blocked, and older months."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Final

from domain.event import Event
from domain.facts import Month, MonthClaimed
from services.audit.claims import Item, Kind, worklist
from services.audit.telling import Told, told
from services.bootstrap import Parts
from services.histories import histories_of
from services.views.months import Row, dollars_of, rows

ROWS_MAX: Final = 500
"""Rows of a section on one page."""

CLAIMS_MAX: Final = 200
"""The same of claims: each one that stands is read from its patient's own log."""


@dataclass(frozen=True, slots=True)
class Section:
    """Some rows of all: from `begin` (0 is the first) at most `rows_max`."""

    all: Sequence[Row]
    begin: int
    rows_max: int = ROWS_MAX

    @property
    def shown(self) -> Sequence[Row]:
        return self.all[self.begin : self.begin + self.rows_max]

    @property
    def dollars(self) -> Decimal:
        """Of all rows."""
        return dollars_of(self.all)

    @property
    def unpriced(self) -> int:
        """Rows that are in no sum, because a figure is not known."""
        return sum(row.dollars is None for row in self.all)

    @property
    def before(self) -> int | None:
        """Where the rows before these begin."""
        return max(0, self.begin - self.rows_max) if self.begin else None

    @property
    def after(self) -> int | None:
        """Where the rows after these begin."""
        end = self.begin + self.rows_max
        return end if end < len(self.all) else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A row with the claim that stands on it."""

    row: Row
    claim: Told


@dataclass(frozen=True, slots=True)
class Fallen:
    """A row whose claim the facts do not support as it was made. `days_left` until what was paid
    too much is to be returned, below zero once that is past, None where nothing was."""

    row: Row
    item: Item
    days_left: int | None


@dataclass(frozen=True, slots=True)
class Older:
    """Another month with something left to do: how many patients, and how much."""

    month: Month
    unclaimed: int
    dollars: Decimal
    diverged: int


@dataclass(frozen=True, slots=True)
class Close:
    """A practice's month."""

    ready: Section
    running: Section
    """Earned already, in a month that is not over where the patient lives."""
    claimed: Section
    blocked: Section
    fallen: tuple[Fallen, ...]
    others: tuple[Older, ...]

    @property
    def overpaid(self) -> Decimal:
        """What claims come to above what is supported, as far as it is known."""
        stakes = [each.item.at_stake.dollars for each in self.fallen]
        return sum((stake for stake in stakes if stake and stake > 0), Decimal("0.00"))


def close_of(
    parts: Parts, practice: str, month: Month, today: date, begins: Mapping[str, int]
) -> Close:
    """The month's close; `begins` says by section from which row on it is shown."""
    now = parts.clock() // 1_000_000
    by_status: dict[str, list[Row]] = defaultdict(list)
    for row in rows(parts.store, now, practice, month):
        by_status[row.status].append(row)
    billable = by_status["billable"]

    def section(name: str, found: Iterable[Row]) -> Section:
        return Section(list(found), begins.get(name, 0))

    return Close(
        ready=section("ready", (row for row in billable if row.is_over)),
        running=section("running", (row for row in billable if not row.is_over)),
        claimed=replace(section("claimed", by_status["claimed"]), rows_max=CLAIMS_MAX),
        blocked=section("blocked", by_status["blocked"]),
        fallen=tuple(_fallen(parts, practice, month, by_status["diverged"], today)),
        others=tuple(_others(parts, now, practice, month)),
    )


def standing(parts: Parts, practice: str, found: Sequence[Row]) -> list[Standing]:
    """These rows with their claims, as far as one stands still."""
    addresses = [(practice, row.patient_id) for row in found]
    pairs = zip(found, histories_of(parts.store, addresses), strict=True)
    claims: list[Standing] = []
    for row, history in pairs:
        event = claim_on(history.patient().chart.claims, row.month)
        if event is not None:
            claims.append(Standing(row, told(history, "UTC")[event.key]))
    return claims


def claim_on(claims: Mapping[Month, Event], month: Month) -> Event | None:
    """The claim that stands on a month."""
    event = claims.get(month)
    assert event is None or isinstance(event.fact, MonthClaimed)
    return event


def _fallen(
    parts: Parts, practice: str, month: Month, found: Iterable[Row], today: date
) -> Iterator[Fallen]:
    by_patient = {row.patient_id: row for row in found}
    if not by_patient:
        return
    for item in worklist(parts, (practice,), month, kinds=(Kind.DIVERGED,)):
        row = by_patient.get(item.patient_id)
        if row is not None:
            left = (item.deadline - today).days if item.deadline else None
            yield Fallen(row, item, left)


def _others(parts: Parts, now: int, practice: str, month: Month) -> Iterator[Older]:
    """Other months, the oldest first: over and never claimed, or claimed and diverged."""
    unclaimed: dict[Month, list[Row]] = defaultdict(list)
    diverged: dict[Month, int] = defaultdict(int)
    for row in rows(parts.store, now, practice, status="billable"):
        if row.month != month and row.is_over:
            unclaimed[row.month].append(row)
    for row in rows(parts.store, now, practice, status="diverged"):
        if row.month != month:
            diverged[row.month] += 1
    for each in sorted({*unclaimed, *diverged}):
        owing = unclaimed.get(each, [])
        yield Older(each, len(owing), dollars_of(owing), diverged.get(each, 0))
