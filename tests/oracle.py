"""A slow and obvious answer to the same question as the domain, written from the rules alone.

Every second of work is one mark in a set, so a union is a set union and "counted once" needs no
argument. Nothing here is shared with the domain but the facts, the events and the policy.
Payments, rules and versions are left out (None), and so is the warning `fee-missing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from domain import facts as f
from domain.event import Event
from domain.policy import Policy
from tests.oracled.life import (
    CONCURRENT,
    DAY,
    DROPPED_WHEN_EARNED,
    EM,
    HOME_HEALTH,
    PCM,
    TCM,
    Answer,
    Enrolment,
    Entry,
    Life,
    Second,
    midnight,
    month_of,
)
from tests.oracled.needs import (
    blockers,
    effective_mdm,
    known_families,
    month_enrolment,
    next_steps,
    offers,
    services_in,
    standing_claim,
)
from tests.oracled.seconds import (
    Tally,
)


def warnings(life: Life, month: str, tally: Tally, options: list[Answer]) -> list[str]:
    enrolment = month_enrolment(life, month)
    npi = enrolment.npi if enrolment else None
    found = set()
    if tally.unclocked:
        found.add("unclocked-time")
    if any(is_late(life, e) for e in life.entries if falls_in(e.seconds, month)):
        found.add("contemporaneity")
    if after_claim(life, month, enrolment):
        found.add("late-after-claim")
    if npi is not None and visit_days(life, npi) & set(tally.day_of.values()):
        found.add("same-day-visit")
    units = {c["code"]: c["units"] for option in options for c in option["codes"]}
    if units.get("99437", 0) > 2 or units.get("99489", 0) > 10:
        found.add("mue-exceeded")
    for service in services_in(life, month):
        tcm = service.hcpcs in TCM and month >= "2020-01"
        others = npi is not None and service.npi != npi and service.hcpcs in PCM | HOME_HEALTH
        if tcm or others or service.hcpcs in CONCURRENT:
            found.add("concurrent-service")
    mdm = effective_mdm(life, month)
    grave = mdm is not None and mdm.mdm in {"moderate", "high"}
    by_another = mdm is not None and npi is not None and mdm.npi != npi
    if grave and by_another and "complex" in known_families(life, month):
        found.add("mdm-not-by-billing-practitioner")
    return sorted(found)


def falls_in(seconds: Iterable[Second], month: str) -> bool:
    return any(month_of(s.day) == month for s in seconds)


def is_late(life: Life, entry: Entry) -> bool:
    work = entry.fact.work
    if isinstance(work, f.Clocked):
        end = work.ended_at
    else:
        end = midnight(work.performed_on + DAY, life.zone_on(work.performed_on))
    return entry.event.time - end > 7 * 86400


def after_claim(life: Life, month: str, enrolment: Enrolment | None) -> bool:
    claim = standing_claim(life, month)
    if claim is None:
        return False
    zone = enrolment.zone if enrolment else ZoneInfo(life.policy.default_timezone)
    for entry_id in {e.fact.entry_id for e in life.time_events()}:  # type: ignore[union-attr]
        revisions = life.revisions(entry_id)
        said = [e.fact for e in revisions if isinstance(e.fact, (f.TimeLogged, f.TimeAmended))]
        if not any(falls_in(life.seconds_of(fact), month) for fact in said):
            continue
        days = [datetime.fromtimestamp(e.time, UTC).astimezone(zone).date() for e in revisions]
        if max(days) > claim.submitted_on:
            return True
    return False


def visit_days(life: Life, npi: str) -> set[date]:
    days = {v.on for v in life.visits if v.npi == npi and v.hcpcs in EM}
    for service in life.services:
        if service.npi == npi and service.hcpcs in EM:
            day = service.from_on
            while day <= service.through_on:
                days.add(day)
                day += DAY
    return days


def assess(events: Sequence[Event], month: str, policy: Policy) -> Answer:
    """The assessment in the contract's form; raises for a selection that needs payments."""
    if policy.selection == "highest-payment":
        raise ValueError("the oracle knows no payments: choose another selection")
    life = Life(events, policy)
    return _answer(life, month, (events[0].practice_id, events[0].patient_id))


def assess_months(events: Sequence[Event], months: list[str], policy: Policy) -> list[Answer]:
    """As `assess`, for several months of one patient; spares walking every second again."""
    life = Life(events, policy)
    return [_answer(life, month, (events[0].practice_id, events[0].patient_id)) for month in months]


def _answer(life: Life, month: str, who: tuple[str, str]) -> Answer:
    tally = Tally(life, month, ignore=set())
    stopped = blockers(life, month)
    options = [] if stopped else offers(life, month, tally)
    earned = offers(life, month, Tally(life, month, ignore=DROPPED_WHEN_EARNED))
    chosen = _chosen(options, life.policy)
    enrolment = month_enrolment(life, month)
    return {
        "practice_id": who[0],
        "patient_id": who[1],
        "month": month,
        "timezone": enrolment.fact.timezone if enrolment else life.policy.default_timezone,
        "status": _status(standing_claim(life, month), options, earned, stopped),
        "codes": chosen["codes"] if chosen else [],
        "family": chosen["family"] if chosen else None,
        "date_of_service": chosen["date_of_service"] if chosen else None,
        "payment": None,
        "options": options,
        "earned": earned,
        "seconds": {
            "logged": tally.logged,
            "clinical_staff": len(tally.staff),
            "practitioner": len(tally.practitioner),
            "pooled": len(tally.pooled),
            "excluded": sum(tally.excluded.values()),
        },
        "excluded": [
            {"entry_id": entry_id, "seconds": n, "reason": reason}
            for (entry_id, reason), n in sorted(tally.excluded.items())
        ],
        "blockers": stopped,
        "warnings": warnings(life, month, tally, options),
        "next": next_steps(life, month, tally),
        "rules": None,
        "as_of": None,
        "stream_version": None,
    }


def _chosen(options: list[Answer], policy: Policy) -> Answer | None:
    if policy.selection == "staff-first":
        for option in options:
            if option["family"] == "non-complex":
                return option
    return options[0] if options else None


def _status(
    claim: f.MonthClaimed | None, options: list[Answer], earned: list[Answer], stopped: list[str]
) -> str:
    if claim is not None:
        claimed = {c.code: c.units for c in claim.codes}
        offered = [{c["code"]: c["units"] for c in option["codes"]} for option in options]
        return "claimed" if claimed in offered else "diverged"
    if options:
        return "billable"
    return "blocked" if earned and stopped else "accruing"


def months_with_ground(events: Sequence[Event], policy: Policy) -> list[str]:
    """Months in which a logged second, a standing claim or an MDM assessment falls."""
    life = Life(events, policy)
    months = {month_of(s.day) for entry in life.entries for s in entry.seconds}
    for event in life.of(f.MonthClaimed, f.ComplexityAssessed):
        month = event.fact.month  # type: ignore[union-attr]
        if isinstance(event.fact, f.ComplexityAssessed) or standing_claim(life, month):
            months.add(month)
    return sorted(months)
