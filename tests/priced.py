"""Words for what is priced and what it comes to."""

from __future__ import annotations

from datetime import date

from domain.assess.assessment import Payment
from domain.facts import CodeUnits

MARCH_2025 = date(2025, 3, 21)


def codes(spec: str) -> tuple[CodeUnits, ...]:
    """`99490 99439x2` as codes with units."""
    parts = (part.partition("x") for part in spec.split())
    return tuple(CodeUnits(code, int(units or 1)) for code, _, units in parts)


def amount_of(unit: Payment | None) -> str | None:
    return None if unit is None else str(unit.amount)
