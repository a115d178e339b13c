"""What Medicare pays for codes on a date of service, in exact dollars and cents.

One unit = [(work x GPCI work) + (PE x GPCI PE) + (MP x GPCI MP)] x CF, rounded half-up to the
cent, then times the units. A figure that is not known gives None; nothing is guessed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from functools import cached_property, lru_cache
from typing import Final

from domain.facts import CodeUnits
from domain.fees.factors import FACTORS
from domain.fees.figures import ConversionFactor, FigureSet, Gpci, LocalityAmount, Rvu
from domain.fees.gpci import GPCIS
from domain.fees.lookup import Found, Lookup
from domain.fees.payment import Payment
from domain.fees.rvus import RVUS

CENT: Final = Decimal("0.01")
FULL_SHARE_CREDENTIALS: Final = frozenset({"MD", "DO", "CNM"})
"""Paid 100 % (physicians; certified nurse-midwives by 42 CFR 414.54 since 2011)."""
REDUCED_SHARE_CREDENTIALS: Final = frozenset({"NP", "PA", "CNS"})
"""Paid 85 % (42 CFR 414.52 and 414.56)."""
REDUCED_SHARE: Final = Decimal("0.85")
CLINIC_KINDS: Final = frozenset({"rhc", "fqhc"})
"""Paid the national non-facility amount whoever works there, and wherever."""
FIRST_QP_YEAR: Final = 2026

# Of its own, so that nobody's decimal settings can change an amount.
_EXACT: Final = Context(prec=60, rounding=ROUND_HALF_UP)
_UNIT_AMOUNTS_KEPT = 1 << 15
_ONE: Final = Decimal(1)
_ZERO: Final = Decimal(0)

Imports = tuple[str, ...]
"""Short digests of the imports that a figure is from; empty where all of it is built in."""


@dataclass(frozen=True, slots=True)
class UnitAmount:
    """Dollars of one unit, rounded to the cent, with the reduction already taken.

    `basis` says by which figures.
    """

    amount: Decimal
    basis: str
    imports: Imports


@dataclass(frozen=True)
class FeeSchedule:
    """Figures by date of service. `layers` runs from the built-in set to the newest import.

    For each figure the newest layer that knows it on the day wins. Immutable; safe to share.
    """

    layers: tuple[FigureSet, ...]

    def __post_init__(self) -> None:
        # Kept per schedule: assess asks for the same few amounts at every event.
        kept = lru_cache(maxsize=_UNIT_AMOUNTS_KEPT)(self._unit_amount)
        object.__setattr__(self, "_kept", kept)

    def __reduce__(self) -> tuple[type[FeeSchedule], tuple[tuple[FigureSet, ...]]]:
        return (FeeSchedule, (self.layers,))

    def with_figures(self, figures: FigureSet) -> FeeSchedule:
        """This schedule with `figures` laid over it: they win wherever they say something."""
        return FeeSchedule((*self.layers, figures))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all layers in their order: equal digests give equal amounts."""
        return hashlib.sha256("\n".join(layer.digest for layer in self.layers).encode()).hexdigest()

    @cached_property
    def lookup(self) -> Lookup:
        """The figures themselves, by code, locality and day, each with the layer it is from."""
        return Lookup(self.layers)

    def price(
        self,
        codes: Sequence[CodeUnits],
        on: date,
        *,
        credential: str,
        setting: str = "nonfacility",
        provider_kind: str = "practitioner",
        locality: str | None = None,
        qp: bool = False,
    ) -> Payment | None:
        """The sum of unit amounts times units; None when there is no code or one has no amount.

        `setting` is `nonfacility` or `facility`; `locality` is `MAC-locality`, None for national.
        A credential that may not bill and a locality unknown on that day have no amount.
        """
        kept = self._kept  # type: ignore[attr-defined]
        total = _ZERO
        basis = ""
        imports: Imports = ()
        for line in codes:
            unit = kept(line.code, on, credential, setting, provider_kind, locality, qp)
            if unit is None:
                return None
            total = _EXACT.fma(unit.amount, line.units, total)
            basis = unit.basis
            imports += unit.imports
        if not basis:
            return None
        if imports:
            basis = "+".join((basis, *sorted(set(imports))))
        return Payment(total, "USD", basis)

    def _unit_amount(
        self,
        code: str,
        on: date,
        credential: str,
        setting: str,
        provider_kind: str,
        locality: str | None,
        qp: bool,
    ) -> UnitAmount | None:
        if provider_kind in CLINIC_KINDS:
            setting, locality, reduced = "nonfacility", None, False
        elif credential in FULL_SHARE_CREDENTIALS or credential in REDUCED_SHARE_CREDENTIALS:
            reduced = credential in REDUCED_SHARE_CREDENTIALS
        else:
            return None
        full = self._full_amount(code, on, setting, locality, qp)
        if full is None:
            return None
        amount, imports = full
        if reduced:
            amount = _to_cent(_EXACT.multiply(amount, REDUCED_SHARE))
        return UnitAmount(amount, _basis(on, setting, locality, qp, reduced), imports)

    def _full_amount(
        self, code: str, on: date, setting: str, locality: str | None, qp: bool
    ) -> tuple[Decimal, Imports] | None:
        if locality is not None:
            ready = self.lookup.amount(locality, code, on, qp)
            if ready is not None:
                return _to_cent(_of_setting(ready.figure, setting)), _imports(ready)
        return self._computed(code, on, setting, locality, qp)

    def _computed(
        self, code: str, on: date, setting: str, locality: str | None, qp: bool
    ) -> tuple[Decimal, Imports] | None:
        rvu = self.lookup.rvu(code, on, qp)
        factor = self.lookup.factor(on, qp)
        if rvu is None or factor is None:
            return None
        gpci = None
        if locality is not None:
            gpci = self.lookup.gpci(locality, on)
            if gpci is None:
                return None
        amount = _formula(rvu.figure, gpci.figure if gpci else None, factor.figure, setting)
        return None if amount is None else (amount, _imports(rvu, factor, gpci))


def _formula(rvu: Rvu, gpci: Gpci | None, factor: ConversionFactor, setting: str) -> Decimal | None:
    pe = rvu.pe_facility if setting == "facility" else rvu.pe_nonfacility
    if rvu.work is None or pe is None or rvu.mp is None:
        return None
    work_index, pe_index, mp_index = (gpci.work, gpci.pe, gpci.mp) if gpci else (_ONE, _ONE, _ONE)
    total = _EXACT.multiply(rvu.work, work_index)
    total = _EXACT.fma(pe, pe_index, total)
    total = _EXACT.fma(rvu.mp, mp_index, total)
    return _to_cent(_EXACT.multiply(total, factor.value))


def _of_setting(ready: LocalityAmount, setting: str) -> Decimal:
    return ready.facility if setting == "facility" else ready.nonfacility


def _to_cent(dollars: Decimal) -> Decimal:
    return dollars.quantize(CENT, context=_EXACT)


def _imports(
    *found: Found[Rvu] | Found[ConversionFactor] | Found[Gpci] | Found[LocalityAmount] | None,
) -> Imports:
    return tuple(sorted({one.origin for one in found if one is not None and one.origin}))


def _basis(on: date, setting: str, locality: str | None, qp: bool, reduced: bool) -> str:
    kind = "-qp" if qp and on.year >= FIRST_QP_YEAR else ""
    share = "-85pct" if reduced else ""
    return f"cms-{on.year}{kind}-{locality or 'national'}-{setting}{share}"


BUILT_IN: Final = FeeSchedule((FigureSet(rvus=RVUS, factors=FACTORS, gpcis=GPCIS),))
"""The figures that ship with the product; see the citations beside each table."""
