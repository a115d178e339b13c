"""A month reckoned: what its seconds offer, before dates, dollars and warnings are put to it.

This is all that alerts look at, and it is asked after every event. A month that only gained an
entry at its end is counted on, not counted anew.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from domain.assess.assessment import NextThreshold
from domain.assess.context import MonthContext, month_context
from domain.assess.counting import Tally, count, count_one_more, standing_entries
from domain.assess.families import Offer, standing
from domain.entries import Entry
from domain.facts import CodeUnits, Month, MonthClaimed
from domain.patient import Patient
from domain.policy import Policy
from domain.rules.book import RuleBook


@dataclass(slots=True)
class Reckoning:
    """`offered` is what may be billed, `earned` what the facts offer if every blocker fell."""

    context: MonthContext
    entries: Collection[Entry]
    tally: Tally
    offered: tuple[Offer, ...]
    earned: tuple[Offer, ...]
    next: tuple[NextThreshold, ...]

    @property
    def month(self) -> Month:
        return self.context.month

    @property
    def timezone(self) -> str:
        return self.context.timezone

    @property
    def blockers(self) -> tuple[str, ...]:
        return self.context.blockers

    @property
    def claimed(self) -> dict[str, int] | None:
        """Units by code of the claim that stands, None without one."""
        claim = self.context.chart.claims.get(self.context.month)
        if claim is None:
            return None
        assert isinstance(claim.fact, MonthClaimed)
        return units_by_code(claim.fact.codes)

    @property
    def diverged(self) -> bool:
        """A claim stands that today's facts do not support as it was claimed."""
        claimed = self.claimed
        if claimed is None:
            return False
        return all(units_by_code(offer.units.codes) != claimed for offer in self.offered)

    @property
    def has_ground(self) -> bool:
        """Whether the month has an assessment of its own: a logged second, a claim, or an MDM."""
        chart, month = self.context.chart, self.context.month
        return bool(self.tally.logged) or month in chart.claims or month in chart.complexity


def units_by_code(codes: tuple[CodeUnits, ...]) -> dict[str, int]:
    units: dict[str, int] = {}
    for line in codes:
        units[line.code] = units.get(line.code, 0) + line.units
    return units


def reckon(patient: Patient, month: Month, book: RuleBook, policy: Policy) -> Reckoning:
    """Reckon one patient-month from everything known of the patient."""
    context = month_context(patient, month, book, policy)
    entries = entries_of(patient, context)
    tally = _tally(context, entries, patient.entries.changes.get(month, 0))
    offered, ahead = standing(context, tally)
    earned = offered
    if tally.lifted_in_earned:
        earned, _ = standing(context, count(context, *standing_entries(entries), lasting=True))
    return Reckoning(
        context=context,
        entries=entries,
        tally=tally,
        offered=() if context.blockers else offered,
        earned=earned,
        next=ahead,
    )


def entries_of(patient: Patient, context: MonthContext) -> Collection[Entry]:
    """The month's entries; none of a record that was merged into another's, which has them."""
    return () if context.chart.merged else patient.entries.in_month(context.month).values()


@dataclass(slots=True)
class Counted:
    """A tally with how many of the month's entries it has counted, in order of arrival."""

    tally: Tally
    entries: int
    changes: int
    """`TimeEntries.changes` of the month when it was counted anew."""


def _tally(context: MonthContext, entries: Collection[Entry], changes: int) -> Tally:
    counted = context.counted
    if not (
        isinstance(counted, Counted)
        and counted.changes == changes
        and _count_on(counted, context, entries)
    ):
        tally = count(context, *standing_entries(entries))
        counted = context.counted = Counted(tally, len(entries), changes)
    return counted.tally


def _count_on(counted: Counted, context: MonthContext, entries: Collection[Entry]) -> bool:
    """Count the entries that came since; False where one of them needs a new count of all."""
    for entry in islice(entries, counted.entries, None):
        standing = entry.standing
        if standing is not None and not count_one_more(counted.tally, context, standing):
            return False
        counted.entries += 1
    return True
