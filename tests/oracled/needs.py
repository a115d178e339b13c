"""What a month needs, as the oracle has it; families, offers and the next steps."""

from __future__ import annotations

from datetime import date

from domain import facts as f
from domain.policy import Policy
from tests.oracled.life import (
    APCM,
    CCM_CODES,
    ESRD,
    HOME_HEALTH,
    MAY_BILL,
    PCM,
    Answer,
    Enrolment,
    Life,
    Mark,
    days_of,
    greatest,
    month_of,
)
from tests.oracled.seconds import (
    Tally,
    _when,
    earlier_revocations,
    good_consents,
    initiated,
)


def month_enrolment(life: Life, month: str) -> Enrolment | None:
    found = [life.enrolment_on(day) for day in reversed(days_of(month))]
    return next((e for e in found if e is not None), None)


def services_in(life: Life, month: str) -> list[f.ServiceBilled]:
    days = days_of(month)
    return [s for s in life.services if s.from_on <= days[-1] and s.through_on >= days[0]]


def blockers(life: Life, month: str) -> list[str]:
    end = days_of(month)[-1]
    enrolment = month_enrolment(life, month)
    npi = enrolment.npi if enrolment else None
    good = good_consents(life, npi, month)
    revoked = earlier_revocations(life, month)
    found = set()
    if not good:
        found.add("consent-missing")
    if any(not any(_when(c) > _when(r) for c in good) for r in revoked):
        found.add("consent-revoked")
    if len({code[:3] for code in active_conditions(life, month)}) < 2:
        found.add("conditions-fewer-than-two")
    if not any(p.action == "established" and p.on <= end for p in life.plans):
        found.add("care-plan-missing")
    if enrolment is None:
        return sorted(found | {"not-enrolled"})
    if not initiated(life, enrolment, end):
        found.add("initiating-visit-missing")
    if enrolment.fact.billing_practitioner.credential not in MAY_BILL:
        found.add("provider-not-eligible")
    for service in services_in(life, month):
        if service.npi == npi and service.hcpcs in HOME_HEALTH | ESRD | PCM | APCM:
            found.add("competing-service")
        if service.npi != npi and service.hcpcs in CCM_CODES | {"G0511"}:
            found.add("billed-elsewhere")
    return sorted(found)


def active_conditions(life: Life, month: str) -> set[str]:
    events = life.of(f.ConditionRecorded, f.ConditionResolved)
    active = set()
    for code in {e.fact.code for e in events}:  # type: ignore[union-attr]
        revisions = [e for e in events if e.fact.code == code]  # type: ignore[union-attr]
        recorded = greatest(e for e in revisions if isinstance(e.fact, f.ConditionRecorded))
        effective = greatest(revisions)
        if recorded is None or not recorded.fact.chronic:  # type: ignore[union-attr]
            continue
        onset = recorded.fact.onset_on or date.min  # type: ignore[union-attr]
        fact = effective.fact  # type: ignore[union-attr]
        resolved = fact.resolved_on if isinstance(fact, f.ConditionResolved) else date.max
        if any(onset <= day <= resolved for day in days_of(month)):
            active.add(code)
    return active


def effective_mdm(life: Life, month: str) -> f.ComplexityAssessed | None:
    event = greatest(e for e in life.of(f.ComplexityAssessed) if e.fact.month == month)  # type: ignore[union-attr]
    return event.fact if event else None  # type: ignore[return-value]


def standing_claim(life: Life, month: str) -> f.MonthClaimed | None:
    about = [e for e in life.of(f.MonthClaimed, f.MonthReopened) if e.fact.month == month]  # type: ignore[union-attr]
    event = greatest(about)
    return event.fact if event and isinstance(event.fact, f.MonthClaimed) else None


def families(kind: str, month: str, policy: Policy) -> list[str]:
    """Families known for that month and kind of provider, in the order of options."""
    cpt = [
        name
        for name, since in [("complex", "2017-01"), ("practitioner", "2019-01")]
        if month >= since
    ] + (["non-complex"] if month >= "2015-01" else [])
    if kind == "practitioner" or month >= "2025-10":
        return cpt
    if month < "2016-01":
        return []
    if month < "2018-01":
        return ["non-complex"]
    if month < "2025-01":
        return ["rhc"]
    return ["rhc", *cpt] if policy.rhc_transition == "g0511" else [*cpt, "rhc"]


def thresholds(family: str, month: str) -> list[tuple[str, int, int]]:
    """(code, unit, seconds) in rising order, long enough for any month."""
    far = 31 * 24 * 2  # every half hour of a month
    if family == "rhc":
        return [("G0511", 1, 1200)]
    if family == "non-complex":
        add_on = "99439" if month >= "2021-01" else "G2058"
        units = 2 if month >= "2020-01" else 0
        return [("99490", 1, 1200)] + [(add_on, n, 1200 + 1200 * n) for n in range(1, units + 1)]
    if family == "practitioner":
        units = far if month >= "2022-01" else 0
        return [("99491", 1, 1800)] + [("99437", n, 1800 + 1800 * n) for n in range(1, units + 1)]
    return [("99487", 1, 3600)] + [("99489", n, 3600 + 1800 * n) for n in range(1, far)]


def pool_of(family: str, tally: Tally) -> set[Mark]:
    if family == "rhc":
        return tally.everybody
    return tally.practitioner if family == "practitioner" else tally.pooled


def has_mdm(life: Life, month: str) -> bool:
    mdm, enrolment = effective_mdm(life, month), month_enrolment(life, month)
    return bool(mdm and enrolment and mdm.mdm in {"moderate", "high"} and mdm.npi == enrolment.npi)


def has_fresh_plan(life: Life, month: str) -> bool:
    return not "2017-01" <= month <= "2019-12" or any(
        p.action in {"established", "revised"} and month_of(p.on) == month for p in life.plans
    )


def known_families(life: Life, month: str) -> list[str]:
    enrolment = month_enrolment(life, month)
    kind = enrolment.fact.provider_kind if enrolment else "practitioner"
    return families(kind, month, life.policy)


def offers(life: Life, month: str, tally: Tally) -> list[Answer]:
    found = []
    for family in known_families(life, month):
        if family == "complex" and not (has_mdm(life, month) and has_fresh_plan(life, month)):
            continue
        pool = pool_of(family, tally)
        reached = [step for step in thresholds(family, month) if step[2] <= len(pool)]
        if not reached:
            continue
        units: dict[str, int] = {}
        for code, unit, _ in reached:
            units[code] = unit
        days = sorted(tally.day_of[mark] for mark in pool)
        day = days[reached[-1][2] - 1]
        if life.policy.date_of_service == "month-end":
            day = days_of(month)[-1]
        found.append(
            {
                "family": family,
                "codes": [{"code": c, "units": n} for c, n in units.items()],
                "date_of_service": day.isoformat(),
                "payment": None,
            }
        )
    return found


def next_steps(life: Life, month: str, tally: Tally) -> list[Answer]:
    found = []
    for family in known_families(life, month):
        if family == "complex" and not has_mdm(life, month):
            continue
        have = len(pool_of(family, tally))
        for code, unit, needed in thresholds(family, month):
            if needed > have:
                found.append(
                    {"family": family, "code": code, "unit": unit, "seconds_to_go": needed - have}
                )
                break
    return found
