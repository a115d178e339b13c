"""Figures of a practice's month: how many patients stand where, units by code, dollars.

Pure and exact: figures are sums over patient-months, so one can be taken out and put in again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Share:
    """What one patient-month adds: its status, the units of its selected codes, its dollars."""

    status: str
    codes: tuple[tuple[str, int], ...] = ()
    amount: Decimal = Decimal(0)


@dataclass(slots=True)
class Figures:
    """The sums of a practice's month. Dollars are those of the selected options."""

    patients: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    """By status."""

    def add(self, share: Share, by: int = 1) -> None:
        """Put a share in, or take it out (`by` −1)."""
        self.patients += by
        _count(self.by_status, share.status, by)
        for code, units in share.codes:
            _count(self.codes, code, by * units)
        amount = self.amounts.get(share.status, Decimal(0)) + by * share.amount
        self.amounts[share.status] = amount
        if not amount:
            del self.amounts[share.status]


def _count(counts: dict[str, int], name: str, by: int) -> None:
    counts[name] = counts.get(name, 0) + by
    if not counts[name]:
        del counts[name]


def figures_of(shares: Iterable[Share]) -> Figures:
    """The sums of these shares."""
    figures = Figures()
    for share in shares:
        figures.add(share)
    return figures
