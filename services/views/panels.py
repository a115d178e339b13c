"""Figures of practices' months, and which practices there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from infra.eventstore.projected import open_projected
from projections.panel import Figures
from projections.ports import Store
from services.projecting.panels import live_figures


@dataclass(frozen=True, slots=True)
class PanelMonth:
    """A practice's month: patients by status, units by code, dollars of the selected options by
    status. Kept by role `projector`, a moment behind the assessments."""

    practice_id: str
    month: str
    patients: int
    by_status: dict[str, int]
    codes: dict[str, int]
    amounts: dict[str, Decimal]


def panel_months(
    store: Store, practices: Collection[str] | None = None, month: str | None = None
) -> list[PanelMonth]:
    """The figures of these practices (None: of all), by practice and month."""
    projected = open_projected(store)
    if practices is None:
        rows = live_figures(projected)
    else:
        rows = [row for name in sorted(practices) for row in live_figures(projected, name)]
    return [_month(*row) for row in rows if month in (None, row[1])]


def _month(practice: str, month: str, figures: Figures) -> PanelMonth:
    return PanelMonth(
        practice,
        month,
        figures.patients,
        dict(sorted(figures.by_status.items())),
        dict(sorted(figures.codes.items())),
        dict(sorted(figures.amounts.items())),
    )
