"""The figures that a Medicare amount is made of, each with the days on which it holds.

Relative value units (RVUs), conversion factors (CFs), geographic practice cost indices (GPCIs)
and amounts that CMS has already priced by locality. Both days of a period are inclusive.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property

CCM_CODES = (
    "99490",
    "99439",
    "G2058",
    "99491",
    "99437",
    "99487",
    "99489",
    "G0506",
    "G0511",
)
"""The codes whose figures are kept: chronic care management, its add-ons and forerunners."""


@dataclass(frozen=True, slots=True)
class Rvu:
    """Relative value units of one code; None where the published figure is not known here.

    `qp` is set where a file of only one kind of practitioner (from 2026 on) gives them.
    """

    code: str
    first_day: date
    last_day: date
    work: Decimal | None
    pe_nonfacility: Decimal | None
    pe_facility: Decimal | None
    mp: Decimal | None
    qp: bool | None = None


@dataclass(frozen=True, slots=True)
class ConversionFactor:
    """Dollars per RVU. `qp` tells the two factors from 2026 on apart; None serves both kinds."""

    first_day: date
    last_day: date
    value: Decimal
    qp: bool | None = None


@dataclass(frozen=True, slots=True)
class Gpci:
    """Indices of one locality, keyed `MAC-locality` with leading zeros, e.g. `13202-01`."""

    locality: str
    first_day: date
    last_day: date
    work: Decimal
    pe: Decimal
    mp: Decimal


@dataclass(frozen=True, slots=True)
class LocalityAmount:
    """Dollars of one unit as CMS priced it for a locality; no practice-specific reduction yet."""

    locality: str
    code: str
    first_day: date
    last_day: date
    nonfacility: Decimal
    facility: Decimal
    qp: bool | None = None


Figure = Rvu | ConversionFactor | Gpci | LocalityAmount


@dataclass(frozen=True)
class FigureSet:
    """Figures of one origin. Equal figures in any order have equal digests."""

    rvus: tuple[Rvu, ...] = ()
    factors: tuple[ConversionFactor, ...] = ()
    gpcis: tuple[Gpci, ...] = ()
    amounts: tuple[LocalityAmount, ...] = ()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the figures and their periods, 64 hexadecimal digits."""
        figures: tuple[Figure, ...] = (*self.rvus, *self.factors, *self.gpcis, *self.amounts)
        lines = sorted(_canonical_line(figure) for figure in figures)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _canonical_line(figure: Figure) -> str:
    members = (getattr(figure, name) for name in figure.__dataclass_fields__)
    return "|".join((type(figure).__name__, *map(_canonical, members)))


def _canonical(member: object) -> str:
    # By value, not by spelling: 0.7 and 0.70 are one figure.
    if isinstance(member, Decimal):
        return format(member.normalize(), "f")
    return "" if member is None else str(member)
