"""Figures as people read them: minutes and seconds, dollars, moments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from domain.explain.wording import codes
from domain.facts import Instant
from domain.fees.payment import Payment
from domain.time.calendar import local_date, zone
from services.audit.amounts import Amount


def minutes(seconds: int) -> str:
    """`21:05`: minutes and seconds, exact."""
    return f"{seconds // 60:,}:{seconds % 60:02d}"


def money(dollars: Decimal | None) -> str:
    """`$1,106.42`, with its sign where it is below zero; a figure that is missing is said so."""
    if dollars is None:
        return "amount not known"
    return f"{'-' if dollars < 0 else ''}${abs(dollars):,.2f}"


def change(dollars: Decimal | None) -> str:
    """A difference with its sign."""
    return money(dollars) if dollars is None or dollars < 0 else f"+{money(dollars)}"


def paid(payment: Payment | None) -> str:
    """What an option pays."""
    return money(payment.amount if payment else None)


def amount(found: Amount) -> str:
    """Dollars, or which figure is missing."""
    return f"not known ({found.missing})" if found.dollars is None else money(found.dollars)


def clock_time(instant: Instant, timezone: str) -> str:
    """`09:15` on the patient's own clock, with seconds where it has any."""
    at = datetime.fromtimestamp(instant, UTC).astimezone(zone(timezone))
    return f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"


def day_words(day: date) -> str:
    """`Wed 5`."""
    return f"{day:%a} {day.day}"


def local_day(instant: Instant, timezone: str) -> str:
    """`2025-03-05`, the day that the instant has there."""
    return local_date(instant, timezone).isoformat()


def moment(text: str) -> str:
    """`2025-04-03 12:00:00Z` of an RFC 3339 text in UTC; fractions stay."""
    return text.replace("T", " ")


def stamp(at_us: int) -> str:
    """`2025-04-03 12:00Z` of microseconds since the epoch."""
    return f"{datetime.fromtimestamp(at_us // 1_000_000, UTC):%Y-%m-%d %H:%MZ}"


FILTERS: Final[Mapping[str, Callable[..., str]]] = {
    "amount": amount,
    "change": change,
    "clock_time": clock_time,
    "codes": codes,
    "local_day": local_day,
    "minutes": minutes,
    "moment": moment,
    "money": money,
    "paid": paid,
    "stamp": stamp,
}
"""What templates write figures with."""
