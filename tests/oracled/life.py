"""The oracle's words, and one patient's life: which events stand, who was enrolled when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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
