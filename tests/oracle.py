"""A slow and obvious answer to the same question as the domain, written from the rules alone.

Every second of work is one mark in a set, so a union is a set union and "counted once" needs no
argument. Nothing here is shared with the domain but the facts, the events and the policy.
Payments, rules and versions are left out (None), and so is the warning `fee-missing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from domain import facts as f
from domain.event import Event
from domain.policy import Policy

Mark = tuple[str, int]
"""One second of work: ("clock", instant), or (entry_id, n) for the n-th of an unclocked entry."""

Answer = dict[str, Any]

DAY = timedelta(days=1)
QUARTER = 900
"""Seconds that always share a local date: since 2010 no zone has been off UTC by anything but
whole quarters of an hour, and clocks change and days begin at such."""
NEVER_ENDS = date(9999, 12, 31)
MAY_BILL = {"MD", "DO", "NP", "PA", "CNS", "CNM"}
CCM_CODES = {"99490", "G2058", "99439", "99491", "99437", "99487", "99489"}
TCM = {"99495", "99496"}
HOME_HEALTH = {"G0181", "G0182"}
PCM = {"99424", "99425", "99426", "99427", "G2064", "G2065"}
APCM = {"G0556", "G0557", "G0558"}
ESRD = {str(code) for code in range(90951, 90971)}
HOME_VISITS = {str(code) for code in range(99341, 99351)}
INITIATING = (
    {"99202", "99203", "99204", "99205", "99212", "99213", "99214", "99215"}
    | {"G0402", "G0438", "G0439"}
    | TCM
    | HOME_VISITS
)
EM = {"99201", "99202", "99203", "99204", "99205"} | HOME_VISITS
EM |= {"99211", "99212", "99213", "99214", "99215"}
CONCURRENT = {"99457", "99458", "98980", "98981", "99484", "99492", "99493", "99494"}
DROPPED_WHEN_EARNED = {"not-enrolled", "before-consent", "before-initiating-visit"}
STAFF = {f.Role.CLINICAL_STAFF, f.Role.OTHER_PRACTITIONER}


@dataclass(frozen=True)
class Enrolment:
    """One enrolment with its days (inclusive) and its stretch of the instant line."""

    fact: f.PatientEnrolled
    last: date
    starts: int
    ends: int

    @property
    def npi(self) -> str:
        return self.fact.billing_practitioner.npi

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.fact.timezone)


class Second(NamedTuple):
    """One second of one entry: which it is, on which local day, in whose enrolment."""

    mark: Mark
    day: date
    enrolment: Enrolment | None


@dataclass(frozen=True)
class Entry:
    """A standing entry, its place in line when two overlap, and its seconds."""

    entry_id: str
    event: Event
    fact: f.TimeLogged | f.TimeAmended
    place: tuple[int, int, str]
    seconds: tuple[Second, ...]


# --- small words -----------------------------------------------------------------------------


@cache
def month_of(day: date) -> str:
    return day.isoformat()[:7]


def days_of(month: str) -> list[date]:
    day, days = date.fromisoformat(month + "-01"), []
    while month_of(day) == month:
        days.append(day)
        day += DAY
    return days


def midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime.combine(day, time(), zone).timestamp())


def a_year_before(day: date) -> date:
    while True:
        try:
            return day.replace(year=day.year - 1)
        except ValueError:
            day -= DAY


def greatest(events: Iterable[Event]) -> Event | None:
    return max(events, key=lambda e: (e.time, e.source, e.id), default=None)


# --- which events stand ----------------------------------------------------------------------


def standing(events: Sequence[Event]) -> list[Event]:
    """One event a key (the first to arrive), without those that a live retraction withdraws."""
    unique: dict[tuple[str, str], Event] = {}
    for event in events:
        unique.setdefault((event.source, event.id), event)
    withdrawn = _withdrawn([e for e in unique.values() if isinstance(e.fact, f.EventRetracted)])
    return [e for e in unique.values() if (e.source, e.id) not in withdrawn]


def _withdrawn(retractions: list[Event]) -> set[tuple[str, str]]:
    live: dict[tuple[str, str], bool] = {}

    def target(event: Event) -> tuple[str, str]:
        assert isinstance(event.fact, f.EventRetracted)
        return (event.fact.event_source, event.fact.event_id)

    while open_ones := [e for e in retractions if e.key not in live]:
        settled = len(live)
        for event in open_ones:
            against = [r.key for r in retractions if target(r) == event.key]
            if any(live.get(key) for key in against):
                live[event.key] = False
            elif all(key in live for key in against):
                live[event.key] = True
        if len(live) == settled:  # only circles are left
            last = greatest(open_ones)
            assert last is not None
            live[last.key] = True
    return {target(e) for e in retractions if live[e.key]}


# --- one patient's life ----------------------------------------------------------------------


class Life:
    """Everything that stands about one patient, resolved from its revisions."""

    def __init__(self, events: Sequence[Event], policy: Policy) -> None:
        self.policy = policy
        self.events = standing(events)
        self.enrolments = self._enrolments()
        died = greatest(self.of(f.PatientDied))
        self.died_on: date | None = died.fact.died_on if died else None  # type: ignore[union-attr]
        self.consents = self.of(f.ConsentRecorded)
        self.revocations = self.of(f.ConsentRevoked)
        self.visits: list[f.VisitRecorded] = [e.fact for e in self.of(f.VisitRecorded)]  # type: ignore[misc]
        self.plans: list[f.CarePlanRecorded] = [e.fact for e in self.of(f.CarePlanRecorded)]  # type: ignore[misc]
        self.services: list[f.ServiceBilled] = [e.fact for e in self.of(f.ServiceBilled)]  # type: ignore[misc]
        self.stays = self._stays()
        self.entries = [e for e in map(self._entry, self._entry_ids()) if e is not None]

    def of(self, *kinds: type) -> list[Event]:
        return [e for e in self.events if isinstance(e.fact, kinds)]

    def _enrolments(self) -> list[Enrolment]:
        enrolled = self.of(f.PatientEnrolled)
        starts = sorted({e.fact.effective_on for e in enrolled})  # type: ignore[union-attr]
        found = []
        for i, first in enumerate(starts):
            same = [e for e in enrolled if e.fact.effective_on == first]  # type: ignore[union-attr]
            fact = greatest(same).fact  # type: ignore[union-attr]
            assert isinstance(fact, f.PatientEnrolled)
            zone = ZoneInfo(fact.timezone)
            following = starts[i + 1] if i + 1 < len(starts) else NEVER_ENDS
            left = greatest(
                e
                for e in self.of(f.PatientDisenrolled)
                if first <= e.fact.effective_on < following  # type: ignore[union-attr]
            )
            last = following - DAY
            ends = 2**62
            if left is not None:
                last = left.fact.effective_on  # type: ignore[union-attr]
                ends = midnight(last + DAY, zone)
            found.append(Enrolment(fact, last, midnight(first, zone), ends))
        return found

    def _stays(self) -> list[f.StayRecorded]:
        events = self.of(f.StayRecorded)
        things = {(e.fact.kind, e.fact.admitted_on) for e in events}  # type: ignore[union-attr]
        return [
            greatest(e for e in events if (e.fact.kind, e.fact.admitted_on) == thing).fact  # type: ignore
            for thing in things
        ]

    def _entry_ids(self) -> list[str]:
        return sorted({e.fact.entry_id for e in self.time_events()})  # type: ignore[union-attr]

    def time_events(self) -> list[Event]:
        return self.of(f.TimeLogged, f.TimeAmended, f.TimeVoided)

    def revisions(self, entry_id: str) -> list[Event]:
        return [e for e in self.time_events() if e.fact.entry_id == entry_id]  # type: ignore[union-attr]

    def _entry(self, entry_id: str) -> Entry | None:
        event = greatest(self.revisions(entry_id))
        assert event is not None
        fact = event.fact
        if not isinstance(fact, (f.TimeLogged, f.TimeAmended)):
            return None
        seconds = tuple(self.seconds_of(fact))
        start, end = 0, 0
        if isinstance(fact.work, f.Clocked):
            start, end = fact.work.started_at, fact.work.ended_at
        return Entry(entry_id, event, fact, (start, end, entry_id), seconds)

    def seconds_of(self, fact: f.TimeLogged | f.TimeAmended) -> Iterator[Second]:
        if isinstance(fact.work, f.Unclocked):
            day = fact.work.performed_on
            enrolment = self.enrolment_on(day)
            for n in range(fact.work.seconds):
                yield Second((fact.entry_id, n), day, enrolment)
        else:
            asked, day, enrolment = None, date.min, None
            for instant in range(fact.work.started_at, fact.work.ended_at):
                if (quarter := instant // QUARTER) != asked:
                    asked = quarter
                    day, enrolment = self.day_at(quarter * QUARTER)
                yield Second(("clock", instant), day, enrolment)

    def enrolment_on(self, day: date) -> Enrolment | None:
        begun = [e for e in self.enrolments if e.fact.effective_on <= day]
        return begun[-1] if begun and day <= begun[-1].last else None

    def day_at(self, instant: int) -> tuple[date, Enrolment | None]:
        begun = [e for e in self.enrolments if e.starts <= instant]
        enrolment = begun[-1] if begun and instant < begun[-1].ends else None
        zone = enrolment.zone if enrolment else ZoneInfo(self.policy.default_timezone)
        return datetime.fromtimestamp(instant, zone).date(), enrolment

    def zone_on(self, day: date) -> ZoneInfo:
        enrolment = self.enrolment_on(day)
        return enrolment.zone if enrolment else ZoneInfo(self.policy.default_timezone)


# --- consent and visit -----------------------------------------------------------------------


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


# --- which seconds count ---------------------------------------------------------------------


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


# --- what a month needs ----------------------------------------------------------------------


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


# --- families --------------------------------------------------------------------------------


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


# --- warnings --------------------------------------------------------------------------------


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


# --- the answer ------------------------------------------------------------------------------


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
