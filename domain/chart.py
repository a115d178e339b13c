"""Everything known of a patient but the time: what stands after corrections and retractions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from domain.event import Event
from domain.facts import (
    CarePlanRecorded,
    ComplexityAssessed,
    ConditionRecorded,
    ConditionResolved,
    ConsentRecorded,
    ConsentRevoked,
    Month,
    MonthClaimed,
    MonthReopened,
    PatientDied,
    PatientDisenrolled,
    PatientEnrolled,
    PatientMerged,
    ServiceBilled,
    StayRecorded,
    VisitRecorded,
)
from domain.time.calendar import ONE_DAY
from domain.time.timeline import Span


@dataclass(frozen=True, slots=True)
class Condition:
    """An attested condition; active from `onset_on` (None: always) through `resolved_on`."""

    code: str
    chronic: bool
    onset_on: date | None
    resolved_on: date | None
    evidence: tuple[Event, ...]

    def active_between(self, first: date, last: date) -> bool:
        begun = self.onset_on is None or self.onset_on <= last
        return begun and (self.resolved_on is None or self.resolved_on >= first)


@dataclass(slots=True)
class Chart:
    """The standing facts of one patient, ready to be asked."""

    spans: tuple[Span, ...] = ()
    died: Event | None = None
    died_on: date | None = None
    consents: list[Event] = field(default_factory=list)
    revocations: list[Event] = field(default_factory=list)
    conditions: list[Condition] = field(default_factory=list)
    care_plans: list[Event] = field(default_factory=list)
    visits: list[Event] = field(default_factory=list)
    services: list[Event] = field(default_factory=list)
    stays: list[Event] = field(default_factory=list)
    complexity: dict[Month, Event] = field(default_factory=dict)
    claims: dict[Month, Event] = field(default_factory=dict)
    """Months on which a claim stands."""
    merged: Event | None = None
    """The merge by which this record ended; nothing else stands in its chart then."""


def draw_chart(events: Iterable[Event]) -> Chart:
    """The chart of these events, none of which is withdrawn, in any order."""
    by_kind: dict[type, list[Event]] = {}
    for event in sorted(events, key=lambda event: event.order):
        by_kind.setdefault(type(event.fact), []).append(event)
    if merges := by_kind.get(PatientMerged):
        return Chart(merged=merges[-1])
    chart = Chart(
        spans=_spans(by_kind.get(PatientEnrolled, []), by_kind.get(PatientDisenrolled, [])),
        consents=by_kind.get(ConsentRecorded, []),
        revocations=by_kind.get(ConsentRevoked, []),
        conditions=_conditions(
            by_kind.get(ConditionRecorded, []), by_kind.get(ConditionResolved, [])
        ),
        care_plans=by_kind.get(CarePlanRecorded, []),
        visits=by_kind.get(VisitRecorded, []),
        services=by_kind.get(ServiceBilled, []),
        stays=_stays(by_kind.get(StayRecorded, [])),
        complexity=_complexity(by_kind.get(ComplexityAssessed, [])),
        claims=_claims(by_kind.get(MonthClaimed, []), by_kind.get(MonthReopened, [])),
    )
    deaths = by_kind.get(PatientDied, [])
    if deaths:
        chart.died = deaths[-1]
        assert isinstance(chart.died.fact, PatientDied)
        chart.died_on = chart.died.fact.died_on
    return chart


def _spans(enrolled: list[Event], disenrolled: list[Event]) -> tuple[Span, ...]:
    """Enrolments by `effective_on`; of several for one day the last revision stands."""
    starts: dict[date, tuple[Event, PatientEnrolled]] = {}
    for event in enrolled:
        assert isinstance(event.fact, PatientEnrolled)
        starts[event.fact.effective_on] = (event, event.fact)
    firsts = sorted(starts)
    ends: dict[date, Event] = {}
    for event in disenrolled:
        assert isinstance(event.fact, PatientDisenrolled)
        begun = [first for first in firsts if first <= event.fact.effective_on]
        if begun:
            ends[begun[-1]] = event
    spans = []
    for index, first in enumerate(firsts):
        last = firsts[index + 1] - ONE_DAY if index + 1 < len(firsts) else None
        ended_by = ends.get(first)
        if ended_by is not None:
            assert isinstance(ended_by.fact, PatientDisenrolled)
            last = ended_by.fact.effective_on
        event, enrolment = starts[first]
        spans.append(Span(enrolment, event, first, last, ended_by))
    return tuple(spans)


def _conditions(recorded: list[Event], resolved: list[Event]) -> list[Condition]:
    """One per code: the last attestation, ended by the last resolution when that came later."""
    attested: dict[str, tuple[Event, ConditionRecorded]] = {}
    for event in recorded:
        assert isinstance(event.fact, ConditionRecorded)
        attested[event.fact.code] = (event, event.fact)
    ended: dict[str, tuple[Event, date]] = {}
    for event in resolved:
        assert isinstance(event.fact, ConditionResolved)
        ended[event.fact.code] = (event, event.fact.resolved_on)
    conditions = []
    for code in sorted(attested):
        event, fact = attested[code]
        end = ended.get(code)
        if end is not None and end[0].order > event.order:
            conditions.append(Condition(code, fact.chronic, fact.onset_on, end[1], (event, end[0])))
        else:
            conditions.append(Condition(code, fact.chronic, fact.onset_on, None, (event,)))
    return conditions


def _stays(recorded: list[Event]) -> list[Event]:
    """One per kind and admission day: a later message tells of the discharge."""
    last: dict[tuple[str, date], Event] = {}
    for event in recorded:
        assert isinstance(event.fact, StayRecorded)
        last[(event.fact.kind, event.fact.admitted_on)] = event
    return list(last.values())


def _complexity(assessed: list[Event]) -> dict[Month, Event]:
    last: dict[Month, Event] = {}
    for event in assessed:
        assert isinstance(event.fact, ComplexityAssessed)
        last[event.fact.month] = event
    return last


def _claims(claimed: list[Event], reopened: list[Event]) -> dict[Month, Event]:
    last: dict[Month, Event] = {}
    for event in sorted([*claimed, *reopened], key=lambda event: event.order):
        assert isinstance(event.fact, MonthClaimed | MonthReopened)
        last[event.fact.month] = event
    return {month: event for month, event in last.items() if isinstance(event.fact, MonthClaimed)}
