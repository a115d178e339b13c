"""Small words for situations: a patient-month, and events that make it odd."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from domain import facts as f
from domain.event import Event
from domain.policy import Policy
from domain.rules import BOOK, RuleBook
from tests.given import (
    NPI,
    day,
    event,
    five_pm,
    unclocked,
)

MONTH = "2025-03"


@dataclass(frozen=True)
class Situation:
    """One patient-month worth reading about."""

    name: str
    month: str
    events: Sequence[Event]
    policy: Policy = field(default_factory=Policy)
    book: RuleBook = BOOK


def said(fact: f.Fact, on: str) -> Event:
    return event(fact, five_pm(on))


def billed(hcpcs: str, first: str, last: str, npi: str = NPI) -> Event:
    return said(f.ServiceBilled(hcpcs, day(first), day(last), npi), last)


def stay(kind: str, first: str, last: str | None = None) -> Event:
    return said(f.StayRecorded(kind, day(first), day(last) if last else None), first)  # type: ignore[arg-type]


def claimed(month: str, on: str, *codes: tuple[str, int]) -> Event:
    lines = tuple(f.CodeUnits(code, units) for code, units in codes)
    return said(f.MonthClaimed(month, lines, "c1", day(on)), on)


def odd(entry_id: str, on: str, **changes: object) -> Event:
    """Ten unclocked minutes of staff, but for what is named."""
    return said(replace(unclocked(entry_id, on, 600), **changes), on)  # type: ignore[arg-type]


def with_enrolment(events: Iterable[Event], **changes: object) -> list[Event]:
    return [
        event(replace(e.fact, **changes), e.time) if isinstance(e.fact, f.PatientEnrolled) else e  # type: ignore[arg-type]
        for e in events
    ]


def without(events: Iterable[Event], *kinds: type) -> list[Event]:
    return [one for one in events if not isinstance(one.fact, kinds)]
