"""A month as a script would work it out: dicts, loops and constants, no reasons.

It knows 2025's two families, the prerequisites, days before consent and visit, unions of
intervals, the date of service and national fees: enough for the benchmark's patients, and for
nothing that they do not have (stays, claims, decision making, other practitioners, other years).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from domain.facts import (
    CarePlanRecorded,
    Clocked,
    ConditionRecorded,
    ConsentRecorded,
    PatientEnrolled,
    Role,
    TimeAmended,
    TimeLogged,
    TimeVoided,
    VisitRecorded,
)
from domain.patient import Patient

VISITS = {f"{number}" for number in (*range(99202, 99206), *range(99212, 99216))}
FEES = {
    "99490": Decimal("60.49"),
    "99439": Decimal("45.93"),
    "99491": Decimal("82.16"),
    "99437": Decimal("57.58"),
}
"""National, not in a facility, 2025."""

Entry = tuple[str, str, str, int, int]
"""(role, programme, activity, start, end) of standing clocked work."""


@dataclass
class PlainPatient:
    """What a script would have kept."""

    enrolled_on: date = date.max
    zone: str = "UTC"
    consents: list[date] = field(default_factory=list)
    plans: list[date] = field(default_factory=list)
    visits: list[tuple[date, str]] = field(default_factory=list)
    conditions: dict[str, bool] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)


def plain_patient(patient: Patient) -> PlainPatient:
    """The same facts, read beforehand."""
    found, standing = PlainPatient(), dict[str, Entry]()
    for said in sorted(patient.events.values(), key=lambda said: said.order):
        match said.fact:
            case PatientEnrolled() as fact:
                found.enrolled_on, found.zone = fact.effective_on, fact.timezone
            case ConsentRecorded() as fact:
                found.consents.append(fact.consented_on)
            case CarePlanRecorded() as fact:
                found.plans.append(fact.on)
            case VisitRecorded() as fact:
                found.visits.append((fact.on, fact.hcpcs))
            case ConditionRecorded() as fact:
                found.conditions[fact.code] = fact.chronic
            case TimeVoided() as fact:
                standing.pop(fact.entry_id, None)
            case TimeLogged() | TimeAmended() as fact if isinstance(fact.work, Clocked):
                role = Role(fact.performer.role).value
                work = fact.work
                row = (role, fact.program, fact.activity, work.started_at, work.ended_at)
                standing[fact.entry_id] = row
    found.entries = list(standing.values())
    return found


@cache
def midnight(day: date, zone: str) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).timestamp())


@cache
def month_bounds(month: str) -> tuple[date, date]:
    """The first day and the first day after."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, 1), date(year + number // 12, number % 12 + 1, 1)


def plain_month(patient: PlainPatient, month: str, not_countable: set[str]) -> dict[str, Any]:
    """Seconds, codes, date of service and amount of the month."""
    first, after = month_bounds(month)
    ready = _ready(patient, after)
    staff, own = [], []
    begin, end_of_month = midnight(first, patient.zone), midnight(after, patient.zone)
    counted_from = max(begin, midnight(ready, patient.zone)) if ready else end_of_month
    logged = 0
    for role, program, activity, start, end in patient.entries:
        start, end = max(start, begin), min(end, end_of_month)
        if start >= end:
            continue
        logged += end - start
        if program != "ccm" or role == "non_clinical" or activity in not_countable:
            continue
        start = max(start, counted_from)
        if start < end:
            staff.append((start, end))
            if role == "billing_practitioner":
                own.append((start, end))
    pooled, practitioner = _union(staff), _union(own)
    answer = _codes(patient, pooled, practitioner) if ready else None
    total = sum(seconds for _, seconds in pooled)
    return {"logged": logged, "pooled": total, "excluded": logged - total, "answer": answer}


def _ready(patient: PlainPatient, after: date) -> date | None:
    """From which day time counts; None where something is missing by the month's end."""
    consents = [day for day in patient.consents if day < after]
    plans = [day for day in patient.plans if day < after]
    earliest = patient.enrolled_on - timedelta(days=365)
    visits = [on for on, code in patient.visits if code in VISITS and earliest <= on < after]
    chronic = {code[:3] for code, is_chronic in patient.conditions.items() if is_chronic}
    if not (consents and plans and visits and len(chronic) >= 2 and patient.enrolled_on < after):
        return None
    return max(patient.enrolled_on, min(consents), min(visits))


def _union(intervals: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(end, seconds) of each interval beyond the ones before it."""
    found, reached = [], -1
    for start, end in sorted(intervals):
        if end > reached:
            found.append((end, end - max(start, reached)))
            reached = end
    return found


def _codes(
    patient: PlainPatient, pooled: list[tuple[int, int]], practitioner: list[tuple[int, int]]
) -> dict[str, Any] | None:
    for pool, base, seconds, addon, cap in (
        (practitioner, "99491", 1800, "99437", None),
        (pooled, "99490", 1200, "99439", 2),
    ):
        total = sum(part for _, part in pool)
        if total >= seconds:
            units = total // seconds - 1
            units = units if cap is None else min(units, cap)
            codes = {base: 1} | ({addon: units} if units else {})
            on = _day_reached(pool, (units + 1) * seconds, patient.zone)
            return {"codes": codes, "on": on, "amount": sum(FEES[c] * n for c, n in codes.items())}
    return None


def _day_reached(pool: list[tuple[int, int]], threshold: int, zone: str) -> date:
    counted = 0
    for end, seconds in pool:
        counted += seconds
        if counted >= threshold:
            return datetime.fromtimestamp(end - 1, ZoneInfo(zone)).date()
    raise ValueError(threshold)
