"""The answer for one patient and month, in the contract's form and order of members.

Nothing here is changed once it is made. It is not frozen: to make it would take four times as long,
for every month after every event that moves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.facts import CodeUnits, Month
from domain.fees.payment import Payment
from domain.rules.book import RulesUsed
from domain.rules.codes import Family

__all__ = [
    "Assessment",
    "Exclusion",
    "Family",
    "NextThreshold",
    "Option",
    "Payment",
    "RulesUsed",
    "Seconds",
    "Status",
]


class Status(StrEnum):
    CLAIMED = "claimed"
    DIVERGED = "diverged"
    BILLABLE = "billable"
    BLOCKED = "blocked"
    ACCRUING = "accruing"


@dataclass(slots=True, unsafe_hash=True)
class Option:
    """A family whose requirements are met: what could be billed, with which date."""

    family: Family
    codes: tuple[CodeUnits, ...]
    date_of_service: date
    payment: Payment | None


@dataclass(slots=True, unsafe_hash=True)
class Seconds:
    """`logged` = counted once + `excluded`; the three pools may overlap each other."""

    logged: int
    clinical_staff: int
    practitioner: int
    pooled: int
    excluded: int


@dataclass(slots=True, unsafe_hash=True)
class Exclusion:
    entry_id: str
    seconds: int
    reason: str


@dataclass(slots=True, unsafe_hash=True)
class NextThreshold:
    family: Family
    code: str
    unit: int
    seconds_to_go: int


@dataclass(slots=True, unsafe_hash=True)
class Assessment:
    """What a month is worth today, why, and what is missing (contract, section 2)."""

    practice_id: str
    patient_id: str
    month: Month
    timezone: str
    status: Status
    codes: tuple[CodeUnits, ...]
    family: Family | None
    date_of_service: date | None
    payment: Payment | None
    options: tuple[Option, ...]
    earned: tuple[Option, ...]
    seconds: Seconds
    excluded: tuple[Exclusion, ...]
    blockers: tuple[str, ...]
    warnings: tuple[str, ...]
    next: tuple[NextThreshold, ...]
    rules: RulesUsed
    as_of: str | None
    stream_version: int
