"""Which seconds the oracle counts, one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from domain import facts as f
from domain.event import Event
from tests.oracled.life import (
    INITIATING,
    STAFF,
    TCM,
    Enrolment,
    Entry,
    Life,
    Mark,
    Second,
    a_year_before,
    month_of,
)


def _when(event: Event) -> tuple[date, int, str, str]:
    fact = event.fact
    assert isinstance(fact, (f.ConsentRecorded, f.ConsentRevoked))
    day = fact.consented_on if isinstance(fact, f.ConsentRecorded) else fact.revoked_on
    return (day, event.time, event.source, event.id)


def good_consents(life: Life, npi: str | None, month: str) -> list[Event]:
    """Consents to `npi` (to anybody when None) by month end, of a kind that month accepts."""
    accepted = {"written"} if month < "2017-01" else {"written", "verbal"}
    return [
        e
        for e in life.consents
        if isinstance(e.fact, f.ConsentRecorded)
        and (npi is None or e.fact.npi == npi)
        and e.fact.method in accepted
        and month_of(e.fact.consented_on) <= month
    ]


def earlier_revocations(life: Life, month: str) -> list[Event]:
    return [e for e in life.revocations if month_of(_when(e)[0]) < month]


def before_consent(life: Life, npi: str, day: date) -> bool:
    month = month_of(day)
    good = good_consents(life, npi, month)
    revoked = earlier_revocations(life, month)
    uncancelled = [c for c in good if not any(_when(r) > _when(c) for r in revoked)]
    first = min((_when(c)[0] for c in uncancelled or good), default=None)
    return first is None or day < first


def initiated(life: Life, enrolment: Enrolment, day: date) -> bool:
    """Whether a qualifying visit had happened by the end of `day`."""
    discussed = enrolment.fact.new_patient or day.year < 2017
    return any(
        v.npi == enrolment.npi
        and (v.hcpcs in INITIATING or (v.hcpcs == "99201" and v.on.year <= 2020))
        and a_year_before(enrolment.fact.effective_on) <= v.on <= day
        and (v.ccm_discussed or not discussed)
        for v in life.visits
    )


def reason_against(life: Life, entry: Entry, second: Second, ignore: set[str]) -> str | None:
    fact, day, enrolment = entry.fact, second.day, second.enrolment
    checks: list[tuple[str, Callable[[], object]]] = [
        ("other-program", lambda: fact.program != "ccm"),
        ("non-clinical", lambda: fact.performer.role == f.Role.NON_CLINICAL),
        ("outside-us", lambda: fact.performer.outside_us),
        ("not-countable", lambda: fact.activity in life.policy.not_countable),
        ("after-death", lambda: life.died_on is not None and day > life.died_on),
        ("not-enrolled", lambda: enrolment is None),
        ("before-consent", lambda: enrolment and before_consent(life, enrolment.npi, day)),
        ("before-initiating-visit", lambda: enrolment and not initiated(life, enrolment, day)),
        ("inpatient", lambda: in_stay(life, "inpatient", day)),
        ("snf-part-a", lambda: in_stay(life, "snf_part_a", day)),
        ("tcm-period", lambda: enrolment and in_tcm(life, enrolment.npi, day)),
    ]
    return next((name for name, holds in checks if name not in ignore and holds()), None)


def in_stay(life: Life, kind: str, day: date) -> bool:
    return any(
        s.kind == kind
        and s.admitted_on <= day
        and (s.discharged_on is None or day < s.discharged_on)
        for s in life.stays
    )


def in_tcm(life: Life, npi: str, day: date) -> bool:
    return day.year < 2020 and any(
        s.hcpcs in TCM and s.npi == npi and s.from_on <= day <= s.through_on for s in life.services
    )


class Tally:
    """The month's seconds: which count, in which pool, and why the others do not."""

    def __init__(self, life: Life, month: str, ignore: set[str]) -> None:
        self.logged = 0
        self.excluded: dict[tuple[str, str], int] = {}
        self.day_of: dict[Mark, date] = {}
        self.unclocked = 0
        self.staff: set[Mark] = set()
        self.practitioner: set[Mark] = set()
        for entry in sorted(life.entries, key=lambda e: e.place):
            self._add(life, entry, [s for s in entry.seconds if month_of(s.day) == month], ignore)
        self.everybody = self.staff | self.practitioner
        self.pooled = self.everybody if life.policy.pool_practitioner_time else self.staff

    def _add(self, life: Life, entry: Entry, seconds: list[Second], ignore: set[str]) -> None:
        known: dict[tuple[date, int], str | None] = {}
        for second in seconds:
            self.logged += 1
            question = (second.day, id(second.enrolment))
            if question not in known:
                known[question] = reason_against(life, entry, second, ignore)
            reason = known[question]
            if reason is None:
                reason = "overlap" if second.mark in self.day_of else None
                self._count(entry, second)
            if reason is not None:
                key = (entry.entry_id, reason)
                self.excluded[key] = self.excluded.get(key, 0) + 1

    def _count(self, entry: Entry, second: Second) -> None:
        self.day_of[second.mark] = second.day
        self.unclocked += second.mark[0] != "clock"
        mine = self.staff if entry.fact.performer.role in STAFF else self.practitioner
        mine.add(second.mark)
