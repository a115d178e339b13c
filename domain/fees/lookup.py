"""Finding the figure that holds on a day: the newest layer that knows one wins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

from domain.fees.figures import ConversionFactor, FigureSet, Gpci, LocalityAmount, Rvu

F = TypeVar("F", Rvu, ConversionFactor, Gpci, LocalityAmount)


@dataclass(frozen=True, slots=True)
class Found(Generic[F]):
    """A figure and where it is from: '' when built in, else its import's digest, eight digits."""

    figure: F
    origin: str


class Lookup:
    """Figures of layered sets by their keys. `layers` runs from oldest to newest."""

    def __init__(self, layers: Sequence[FigureSet]) -> None:
        self._rvus: defaultdict[str, list[Found[Rvu]]] = defaultdict(list)
        self._factors: list[Found[ConversionFactor]] = []
        self._gpcis: defaultdict[str, list[Found[Gpci]]] = defaultdict(list)
        self._amounts: defaultdict[tuple[str, str], list[Found[LocalityAmount]]]
        self._amounts = defaultdict(list)
        for index in reversed(range(len(layers))):
            self._take(layers[index], layers[index].digest[:8] if index else "")

    def _take(self, layer: FigureSet, origin: str) -> None:
        for rvu in layer.rvus:
            self._rvus[rvu.code].append(Found(rvu, origin))
        self._factors.extend(Found(factor, origin) for factor in layer.factors)
        for gpci in layer.gpcis:
            self._gpcis[gpci.locality].append(Found(gpci, origin))
        for amount in layer.amounts:
            self._amounts[amount.locality, amount.code].append(Found(amount, origin))

    def rvu(self, code: str, on: date, qp: bool) -> Found[Rvu] | None:
        """The code's relative value units on that day."""
        known = self._rvus.get(code, ())
        return _in_force((found for found in known if found.figure.qp in (None, qp)), on)

    def factor(self, on: date, qp: bool) -> Found[ConversionFactor] | None:
        """The conversion factor on that day; `qp` matters only where there are two."""
        of_kind = (found for found in self._factors if found.figure.qp in (None, qp))
        return _in_force(of_kind, on)

    def gpci(self, locality: str, on: date) -> Found[Gpci] | None:
        """The locality's indices on that day."""
        return _in_force(self._gpcis.get(locality, ()), on)

    def amount(self, locality: str, code: str, on: date, qp: bool) -> Found[LocalityAmount] | None:
        """The amount CMS priced for the locality, where such a file was imported."""
        known = self._amounts.get((locality, code), ())
        return _in_force((found for found in known if found.figure.qp in (None, qp)), on)


def _in_force(known: Iterable[Found[F]], on: date) -> Found[F] | None:
    for found in known:
        if found.figure.first_day <= on <= found.figure.last_day:
            return found
    return None
