"""The work behind an amount: which figures, from where, multiplied how; or which one is missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal

from domain.explain.explanation import AmountLine, UnitWork
from domain.facts import CodeUnits, PatientEnrolled
from domain.fees.figures import ConversionFactor, Gpci, Rvu
from domain.fees.lookup import Found
from domain.fees.schedule import (
    CENT,
    CLINIC_KINDS,
    FULL_SHARE_CREDENTIALS,
    REDUCED_SHARE,
    REDUCED_SHARE_CREDENTIALS,
    FeeSchedule,
)

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What decides which figures apply: day, place, setting, who bills."""

    on: date
    credential: str
    setting: str
    locality: str | None
    qp: bool
    clinic: bool

    @property
    def share(self) -> Decimal | None:
        """The part of the schedule's amount that is paid; None where nothing may be billed."""
        if self.clinic or self.credential in FULL_SHARE_CREDENTIALS:
            return _ONE
        return REDUCED_SHARE if self.credential in REDUCED_SHARE_CREDENTIALS else None


def circumstances(enrolment: PatientEnrolled, on: date, qp: bool) -> Circumstances:
    """A clinic is paid the national non-facility amount, whoever works there."""
    clinic = enrolment.provider_kind in CLINIC_KINDS
    return Circumstances(
        on=on,
        credential=enrolment.billing_practitioner.credential,
        setting="nonfacility" if clinic else enrolment.setting,
        locality=None if clinic else enrolment.locality,
        qp=qp,
        clinic=clinic,
    )


def amount_line(fees: FeeSchedule, line: CodeUnits, at: Circumstances | None) -> AmountLine:
    """One line of an option with its unit amount worked out."""
    if at is None:
        return _without(line, "no enrolment names a practitioner and a setting")
    missing = missing_figure(fees, line.code, at)
    if missing is not None:
        return _without(line, missing)
    work = unit_work(fees, line.code, at)
    unit = to_cent(_EXACT.multiply(work.full_amount, work.share))
    return AmountLine(line.code, line.units, unit, unit * line.units, work, None)


def _without(line: CodeUnits, missing: str) -> AmountLine:
    return AmountLine(line.code, line.units, None, None, None, missing)


def to_cent(dollars: Decimal) -> Decimal:
    return dollars.quantize(CENT, context=_EXACT)


def missing_figure(fees: FeeSchedule, code: str, at: Circumstances) -> str | None:
    """In words the first figure without which there is no amount; None where all are known."""
    if at.share is None:
        return "the credential may not bill, so no share of the amount is paid"
    if at.locality is not None and fees.lookup.amount(at.locality, code, at.on, at.qp):
        return None
    rvu = fees.lookup.rvu(code, at.on, at.qp)
    if rvu is None:
        return f"relative value units of {code} on {at.on}"
    if None in (rvu.figure.work, _practice_expense(rvu.figure, at), rvu.figure.mp):
        return f"a relative value unit of {code} ({at.setting}) on {at.on}"
    if fees.lookup.factor(at.on, at.qp) is None:
        return f"the conversion factor on {at.on}"
    if at.locality is not None and fees.lookup.gpci(at.locality, at.on) is None:
        return f"the cost indices of locality {at.locality} on {at.on}"
    return None


def _practice_expense(rvu: Rvu, at: Circumstances) -> Decimal | None:
    return rvu.pe_facility if at.setting == "facility" else rvu.pe_nonfacility


def unit_work(fees: FeeSchedule, code: str, at: Circumstances) -> UnitWork:
    """The figures of one unit, all of which must be known (`missing_figure` is None)."""
    if at.locality is not None:
        ready = fees.lookup.amount(at.locality, code, at.on, at.qp)
        if ready is not None:
            figure = ready.figure
            priced = figure.facility if at.setting == "facility" else figure.nonfacility
            return _priced(priced, ready.origin, at)
    rvu, factor = fees.lookup.rvu(code, at.on, at.qp), fees.lookup.factor(at.on, at.qp)
    gpci = fees.lookup.gpci(at.locality, at.on) if at.locality is not None else None
    assert rvu is not None
    assert factor is not None
    return _computed(rvu, factor, gpci, at)


def _priced(priced: Decimal, origin: str, at: Circumstances) -> UnitWork:
    assert at.share is not None
    said = f"{priced} as CMS priced it for {at.locality} ({at.setting})" + _shared(priced, at.share)
    origins = (origin,) if origin else ()
    return UnitWork(
        None, None, None, None, None, None, None, priced, priced, at.share, origins, said
    )


def _computed(
    rvu: Found[Rvu], factor: Found[ConversionFactor], gpci: Found[Gpci] | None, at: Circumstances
) -> UnitWork:
    work, pe, mp = rvu.figure.work, _practice_expense(rvu.figure, at), rvu.figure.mp
    assert work is not None
    assert pe is not None
    assert mp is not None
    assert at.share is not None
    place = gpci.figure if gpci else None
    w, p, m = (place.work, place.pe, place.mp) if place else (_ONE, _ONE, _ONE)
    total = _EXACT.fma(mp, m, _EXACT.fma(pe, p, _EXACT.multiply(work, w)))
    full = to_cent(_EXACT.multiply(total, factor.figure.value))
    said = (
        f"({work} x {w} + {pe} x {p} + {mp} x {m}) x {factor.figure.value} = {full}"
        if place
        else f"({work} + {pe} + {mp}) x {factor.figure.value} = {full}"
    )
    origins = sorted({f.origin for f in (rvu, factor, gpci) if f is not None and f.origin})
    said += _shared(full, at.share)
    value, share = factor.figure.value, at.share
    return UnitWork(work, pe, mp, w, p, m, value, None, full, share, tuple(origins), said)


def _shared(full: Decimal, share: Decimal) -> str:
    if share == _ONE:
        return ""
    return f", x {share} = {to_cent(_EXACT.multiply(full, share))}"
