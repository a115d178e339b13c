"""The form in which imported figures are kept: one JSON object, checked by its own digest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar, cast, get_args

from domain.fees.figures import ConversionFactor, FigureSet, Gpci, LocalityAmount, Rvu
from infra.feefiles.model import FeeFile, Kind

FORM = "caretally-fees-1"


class StoredFeesError(Exception):
    """A kept import was changed, damaged or is of another version; says which and what to do."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}: import the official file again or remove this one")
        self.file = file
        self.problem = problem


@dataclass(frozen=True, slots=True)
class StoredFees:
    """An import and its place among the others: a greater `sequence` is newer."""

    fees: FeeFile
    sequence: int
    source_sha256: str


def encode(stored: StoredFees) -> bytes:
    """The bytes to keep."""
    fees = stored.fees
    figures = fees.figures
    content = {
        "form": FORM,
        "kind": fees.kind,
        "year": fees.year,
        "qp": fees.qp,
        "first_day": fees.first_day,
        "last_day": fees.last_day,
        "sequence": stored.sequence,
        "source": fees.name,
        "source_sha256": stored.source_sha256,
        "rows": fees.rows,
        "missing_codes": fees.missing_codes,
        "notes": fees.notes,
        "digest": figures.digest,
        "rvus": [_members(rvu) for rvu in figures.rvus],
        "factors": [_members(factor) for factor in figures.factors],
        "gpcis": [_members(gpci) for gpci in figures.gpcis],
        "amounts": [_members(amount) for amount in figures.amounts],
    }
    return (json.dumps(content, default=str, indent=1) + "\n").encode()


def decode(file: str, content: bytes) -> StoredFees:
    """The import kept in those bytes. Raises `StoredFeesError`."""
    try:
        kept = json.loads(content)
        if not isinstance(kept, dict) or kept.get("form") != FORM:
            raise StoredFeesError(file, f"is not of the form {FORM}")
        stored = _stored(kept)
    except (ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise StoredFeesError(file, f"cannot be read ({error!r})") from error
    if stored.fees.figures.digest != kept["digest"]:
        raise StoredFeesError(file, "its figures do not match its digest")
    return stored


def _stored(kept: dict[str, Any]) -> StoredFees:
    if kept["kind"] not in get_args(Kind):
        raise ValueError(f"unknown kind {kept['kind']!r}")
    fees = FeeFile(
        name=str(kept["source"]),
        kind=cast(Kind, kept["kind"]),
        year=int(kept["year"]),
        qp=_flag(kept["qp"]),
        first_day=date.fromisoformat(kept["first_day"]),
        last_day=date.fromisoformat(kept["last_day"]),
        figures=FigureSet(
            rvus=tuple(_figure(Rvu, row) for row in kept["rvus"]),
            factors=tuple(_figure(ConversionFactor, row) for row in kept["factors"]),
            gpcis=tuple(_figure(Gpci, row) for row in kept["gpcis"]),
            amounts=tuple(_figure(LocalityAmount, row) for row in kept["amounts"]),
        ),
        rows=int(kept["rows"]),
        missing_codes=tuple(map(str, kept["missing_codes"])),
        notes=tuple(map(str, kept["notes"])),
    )
    return StoredFees(fees, int(kept["sequence"]), str(kept["source_sha256"]))


F = TypeVar("F", Rvu, ConversionFactor, Gpci, LocalityAmount)

_TEXTS = frozenset({"code", "locality"})
_DAYS = frozenset({"first_day", "last_day"})


def _members(figure: Rvu | ConversionFactor | Gpci | LocalityAmount) -> dict[str, object]:
    return {name: getattr(figure, name) for name in figure.__dataclass_fields__}


def _figure(kind: type[F], row: dict[str, Any]) -> F:
    members: dict[str, Any] = {name: _member(name, row[name]) for name in kind.__dataclass_fields__}
    return kind(**members)


def _member(name: str, kept: Any) -> object:
    if name in _TEXTS:
        return str(kept)
    if name in _DAYS:
        return date.fromisoformat(kept)
    if name == "qp":
        return _flag(kept)
    if kept is None:
        return None
    value = Decimal(kept) if isinstance(kept, str) else Decimal("NaN")
    if not value.is_finite() or value < 0:
        raise ValueError(f"{name}: {kept!r} is not a figure")
    return value


def _flag(kept: Any) -> bool | None:
    if kept is not None and not isinstance(kept, bool):
        raise ValueError(f"qp: {kept!r} is neither true, false nor null")
    return kept
