"""What a set of codes is paid."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Payment:
    """Dollars and cents, and where the figures come from."""

    amount: Decimal
    currency: str
    basis: str
