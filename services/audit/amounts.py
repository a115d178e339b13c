"""What a set of codes is paid in a month, or which figure is missing for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.assess import Assessment
from domain.assess.context import MonthContext
from domain.explain.dollars import amount_line, circumstances
from domain.facts import CodeUnits
from domain.fees.schedule import FeeSchedule
from domain.time.calendar import last_day


@dataclass(frozen=True, slots=True)
class Amount:
    """Dollars, or None and in words the first figure without which there are none."""

    dollars: Decimal | None
    missing: str | None = None


NOTHING = Amount(Decimal("0.00"))


def amount_of(
    context: MonthContext, fees: FeeSchedule, lines: Iterable[CodeUnits], on: date
) -> Amount:
    """What these codes are paid on that date of service, by the month's enrolment."""
    at = circumstances(context.span.enrolment, on, context.policy.qp) if context.span else None
    total = NOTHING.dollars
    assert total is not None
    for line in lines:
        found = amount_line(fees, line, at)
        if found.amount is None:
            return Amount(None, f"{line.code}: not known: {found.missing}")
        total += found.amount
    return Amount(total)


def supported_amount(context: MonthContext, fees: FeeSchedule, answer: Assessment) -> Amount:
    """What the selected codes are paid; nothing where none are supported."""
    return amount_of(context, fees, answer.codes, service_day(answer))


def service_day(answer: Assessment) -> date:
    """The selected option's date of service, else the month's last day."""
    return answer.date_of_service or last_day(answer.month)


def minus(one: Amount, other: Amount) -> Amount:
    """The first without the second; not known where either is not."""
    if one.dollars is None or other.dollars is None:
        return Amount(None, one.missing or other.missing)
    return Amount(one.dollars - other.dollars)
