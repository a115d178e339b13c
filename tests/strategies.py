"""Random patients for property tests: small, dense in edges, never out of the contract.

A `Scene` is one patient's events, the months worth asking about and a policy. Days crowd around
month ends, clock changes and each other, because that is where answers differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from domain import facts as f
from domain.event import Event
from domain.policy import NOT_COUNTABLE_DEFAULT, Policy
from tests.given import event

T = TypeVar("T")


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


MINE, THEIRS, THIRD = "1000000004", "1000000012", "1000000020"
ZONES = (
    "America/New_York",
    "America/Los_Angeles",
    "America/Phoenix",
    "Pacific/Honolulu",
    "Pacific/Guam",
    "Pacific/Tongatapu",
    "America/St_Johns",
    "UTC",
)
INTERESTING_MONTHS = words(
    "2015-12 2016-01 2016-12 2017-01 2017-12 2018-01 2018-12 2019-01 2019-12 2020-01 2020-02 "
    "2020-12 2021-01 2021-12 2022-01 2023-03 2023-11 2024-03 2024-12 2025-01 2025-03 2025-09 "
    "2025-10 2025-11 2026-03"
)
CLOCKS_CHANGE_IN = words(
    "2015-11 2016-03 2017-11 2018-03 2019-11 2020-03 2020-11 2021-11 2022-03 2023-11 2024-03"
)
ANY_MONTHS = tuple(f"{y}-{m:02d}" for y in range(2015, 2027) for m in range(1, 13))
SERVICES = words(
    "99490 G2058 99439 99491 99487 G0511 99495 99496 G0181 G0182 90951 90970 90950 99424 99427 "
    "G2064 G2065 G0556 G0558 99457 98981 99484 99492 99214 99211 99341 G0506 36415"
)
VISITS = words("99214 99215 99202 99201 99211 99341 99350 G0402 G0438 G0439 99495 99496 99441")
ROLES = (*(f.Role.CLINICAL_STAFF,) * 6, *(f.Role.BILLING_PRACTITIONER,) * 4, *f.Role)
SHORT = (1, 59, 60, 300, 600, 601, 900, 1199, 1200, 1201)
LONG = (1500, 1799, 1800, 2400, 3599, 3600)
UNCLOCKED = (*SHORT, *LONG, *LONG, 5400, 7200)


@dataclass(frozen=True)
class Scene:
    events: tuple[Event, ...]
    months: tuple[f.Month, ...]
    policy: Policy


def month_start(month: f.Month) -> date:
    return date.fromisoformat(month + "-01")


def month_after(month: f.Month, by: int = 1) -> f.Month:
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{number // 12}-{number % 12 + 1:02d}"


class Author:
    """Writes one scene, one drawn fact at a time."""

    def __init__(self, draw: st.DrawFn, month: f.Month, zones: tuple[str, ...]) -> None:
        self._draw = draw
        self.month = month
        self.zones = zones
        self.first = month_start(month)
        self.facts: list[tuple[f.Fact, date]] = []

    def pick(self, options: Sequence[T]) -> T:
        return self._draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def chance(self, one_in: int) -> bool:
        return self.pick((False,) * (one_in - 1) + (True,))

    def day(self, before: int = 45, after: int = 45) -> date:
        edges = (-32, -31, -1, 0, 1, 8, 14, 27, 28, 29, 30, 31, 32, 61)
        offset = self.pick(edges) if self.chance(2) else self.number(-before, after)
        return self.first + timedelta(days=offset)

    def say(self, fact: f.Fact, on: date) -> None:
        self.facts.append((fact, on))

    # -- what a ready patient has, each of it sometimes missing or odd

    def background(self) -> None:
        start = month_start(month_after(self.month, -2))
        if not self.chance(40):
            self.enrol(start, MINE)
        if not self.chance(40):
            method = "verbal" if self.chance(4) else "written"
            self.say(f.ConsentRecorded(start, method, MINE), start)  # type: ignore[arg-type]
        if not self.chance(40):
            self.say(f.VisitRecorded(start, "99214", MINE, not self.chance(4)), start)
        for code in ("I10", "E11.9"):
            if not self.chance(50):
                self.say(f.ConditionRecorded(code, not self.chance(50)), start)
        if not self.chance(50):
            self.say(f.CarePlanRecorded("established", start), start)

    def enrol(self, on: date, npi: str) -> None:
        credential = self.pick((*("MD", "DO", "NP", "PA", "CNS", "CNM") * 3, "RN"))
        kind = self.pick(("practitioner",) * 4 + ("rhc", "fqhc"))
        fact = f.PatientEnrolled(
            on,
            self.pick(self.zones),
            f.Practitioner(npi, credential),
            kind,  # type: ignore[arg-type]
            new_patient=self.chance(4),
        )
        self.say(fact, on)

    # -- what else may happen

    def happening(self) -> None:
        tell = self.pick(
            (
                *(self.enrolled, self.disenrolled, self.died, self.consented, self.revoked),
                *(self.diagnosed, self.recovered, self.planned, self.visited, self.stayed),
                *(self.judged, self.judged, self.claimed, self.reopened, self.billed, self.billed),
            )
        )
        tell()

    def enrolled(self) -> None:
        self.enrol(self.day(), self.pick((MINE, MINE, THEIRS)))

    def disenrolled(self) -> None:
        day = self.day()
        self.say(f.PatientDisenrolled(day, "moved"), day)

    def died(self) -> None:
        day = self.day()
        self.say(f.PatientDied(day), day)

    def consented(self) -> None:
        day = self.day(before=90)
        method = self.pick(("verbal", "written"))
        fact = f.ConsentRecorded(day, method, self.pick((MINE, THEIRS)))  # type: ignore[arg-type]
        self.say(fact, day)

    def revoked(self) -> None:
        day = self.day(before=70)
        self.say(f.ConsentRevoked(day), day)

    def diagnosed(self) -> None:
        day = self.day()
        onset = self.day() if self.chance(2) else None
        code = self.pick(("I10", "I10.1", "E11.9", "E11.65", "N18.3"))
        self.say(f.ConditionRecorded(code, not self.chance(4), onset), day)

    def recovered(self) -> None:
        day = self.day()
        self.say(f.ConditionResolved(self.pick(("I10", "E11.9", "N18.3")), day), day)

    def planned(self) -> None:
        day = self.day()
        action = self.pick(("established", "revised", "reviewed", "shared"))
        self.say(f.CarePlanRecorded(action, day), day)  # type: ignore[arg-type]

    def visited(self) -> None:
        start = month_start(month_after(self.month, -2))
        day = self.pick(
            (self.day(), start - timedelta(days=365), start - timedelta(days=366), self.day())
        )
        npi = self.pick((MINE, MINE, THEIRS))
        self.say(f.VisitRecorded(day, self.pick(VISITS), npi, not self.chance(3)), day)

    def billed(self) -> None:
        day = self.day()
        through = day + timedelta(days=self.pick((0, 1, 29, 30)))
        npi = self.pick((MINE, MINE, THEIRS, THIRD))
        code = "99495" if self.chance(4) else self.pick(SERVICES)
        self.say(f.ServiceBilled(code, day, through, npi), day)

    def stayed(self) -> None:
        day = self.day()
        end = None if self.chance(4) else day + timedelta(days=self.number(0, 12))
        kind = self.pick(("inpatient", "snf_part_a", "other"))
        self.say(f.StayRecorded(kind, day, end), day)  # type: ignore[arg-type]

    def judged(self) -> None:
        mdm = self.pick(("moderate", "high", "high", "low", "straightforward"))
        month = self.pick((self.month, self.month, month_after(self.month)))
        npi = self.pick((MINE, MINE, MINE, THEIRS))
        self.say(f.ComplexityAssessed(month, mdm, npi), self.day())  # type: ignore[arg-type]

    def claimed(self) -> None:
        codes = self.pick(
            (
                (f.CodeUnits("99490", 1),),
                (f.CodeUnits("99490", 1), f.CodeUnits("99439", 1)),
                (f.CodeUnits("99491", 1),),
                (f.CodeUnits("G0511", 1),),
            )
        )
        submitted = month_start(month_after(self.month)) + timedelta(days=self.number(-3, 20))
        self.say(f.MonthClaimed(self.month, codes, "c1", submitted), submitted)

    def reopened(self) -> None:
        self.say(f.MonthReopened(self.month, "late entry"), self.day())

    # -- time

    def worked(self) -> None:
        entry_id = self.pick(("t1", "t2", "t3", "t4", "t5", "t6"))
        if self.chance(9):
            self.say(f.TimeVoided(entry_id, "wrong patient"), self.day())
            return
        role = self.pick(ROLES)
        performer = f.Performer(role.value[:2], role, self.chance(25))
        activity = self.pick(("care_coordination",) * 12 + ("em_visit", "outreach_attempt"))
        program = "rpm" if self.chance(20) else "ccm"
        work, day = self.work()
        if self.chance(4):
            said: f.Fact = f.TimeAmended(entry_id, performer, activity, work, "typing", program)
        else:
            said = f.TimeLogged(entry_id, performer, activity, work, program)
        self.say(said, day)

    def work(self) -> tuple[f.Work, date]:
        if self.chance(4):
            day = self.work_day()
            return f.Unclocked(day, self.pick(UNCLOCKED)), day
        seconds = self.pick((*SHORT, *LONG))
        start = self.moment(seconds)
        ended = datetime.fromtimestamp(start + seconds, UTC).date()
        return f.Clocked(start, start + seconds), ended

    def work_day(self) -> date:
        last = month_start(month_after(self.month)) - timedelta(days=1)
        days = [self.first + timedelta(days=n) for n in (9, 9, 9, 9, 10, 0, -2, 40)] + [last]
        return self.pick(days) if not self.chance(6) else self.day(30, 45)

    def moment(self, seconds: int) -> int:
        """A start on the busy morning on which entries meet, on an edge, or on any day."""
        if self.chance(2):
            day = self.first + timedelta(days=9)
            at = int(datetime.combine(day, time(10), ZoneInfo(self.zones[0])).timestamp())
            return at + 300 * self.number(-4, 4)
        zone = ZoneInfo(self.pick(self.zones[:1] * 12 + self.zones))
        if self.chance(2):
            return self.edge(zone) - self.number(0, seconds)
        at = int(datetime.combine(self.work_day(), time(self.pick((0, 10, 23))), zone).timestamp())
        return at + self.pick((-1200, -600, -300, -1, 0, 0, 1, 300, 600, 1200))

    def edge(self, zone: ZoneInfo) -> int:
        """The begin or the end of the month, or the instant at which clocks change in it."""
        firsts = (self.first, month_start(month_after(self.month)))
        midnights = [int(datetime.combine(day, time(), zone).timestamp()) for day in firsts]
        change = clock_change(midnights[0], midnights[1], zone)
        return self.pick((*midnights, change, change))


def clock_change(first: int, last: int, zone: ZoneInfo) -> int:
    """The first instant with another offset between these two; the last where there is none."""

    def offset(at: int) -> timedelta | None:
        return datetime.fromtimestamp(at, zone).utcoffset()

    if offset(first) == offset(last):
        return last
    while last - first > 1:
        middle = (first + last) // 2
        first, last = (first, middle) if offset(middle) != offset(first) else (middle, last)
    return last


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    def pick(options: Sequence[T]) -> T:
        return draw(st.sampled_from(options))

    return Policy(
        selection=pick(("most-specific", "staff-first")),
        pool_practitioner_time=pick((True, True, False)),
        date_of_service=pick(("threshold-met", "month-end")),
        rhc_transition=pick(("g0511", "cpt")),
        not_countable=pick((NOT_COUNTABLE_DEFAULT, NOT_COUNTABLE_DEFAULT, ())),
        default_timezone=pick(("UTC", "America/New_York", "Pacific/Guam")),
    )


@st.composite
def scenes(draw: st.DrawFn, zones: Sequence[str] = ZONES) -> Scene:
    """A patient, its month and the ones beside it, and a practice's policy."""
    choices = (INTERESTING_MONTHS, CLOCKS_CHANGE_IN, ANY_MONTHS)
    month = draw(st.sampled_from(draw(st.sampled_from(choices))))
    home = draw(st.sampled_from((*zones[:1] * 4, *zones)))
    author = Author(draw, month, (*(home,) * 8, *zones))
    author.background()
    if author.chance(2):
        author.judged()
    for _ in range(author.pick((0, 0, 1, 2, 3, 4))):
        author.happening()
    for _ in range(author.pick((1, 2, 3, 3, 4, 4, 5, 6, 7, 8))):
        author.worked()
    events = said(author)
    months = (month_after(month, -1), month, month_after(month))
    return Scene(tuple(events), months, draw(policies()))


def said(author: Author) -> list[Event]:
    """The facts as events: said some days later, sources and ids in no order, some withdrawn."""
    events: list[Event] = []
    for number, (fact, day) in enumerate(author.facts):
        lag = author.pick((0, 0, 0, 1, 7, 8, 9, 40))
        at = int(datetime.combine(day + timedelta(days=lag), time(17), UTC).timestamp())
        name = f"{author.pick('abc')}{number}"
        events.append(event(fact, at, id=name, source=author.pick(("s1", "s2"))))
    for number in range(author.pick((0, 0, 0, 1, 2, 3))):
        target = author.pick(events) if events else None
        if target is None:
            break
        fact = f.EventRetracted(target.source, target.id, "entered in error")
        events.append(event(fact, target.time + 60, id=f"r{number}", source="s1"))
    return events
