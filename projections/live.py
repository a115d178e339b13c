"""The live projections of one patient: month assessments and alert transitions, event by event.

Pure: folds events that were accepted and says what changed. Used by ingest, by rebuilds and by
audits, so that all three see the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from domain.alerts import (
    Occasion,
    Standing,
    Transition,
    Watched,
    to_raise,
    transitions,
)
from domain.assess import Assessment, Reckoning, answer, reckon
from domain.event import Event
from domain.facts import (
    CarePlanRecorded,
    ClockTicked,
    ConditionRecorded,
    ConditionResolved,
    ConsentRecorded,
    ConsentRevoked,
    Fact,
    Instant,
    Month,
    TimeAmended,
    TimeLogged,
    TimeVoided,
    VisitRecorded,
)
from domain.patient import Patient, evolve, months_known, months_touched
from domain.policy import Policy
from domain.reach import reach
from domain.rules import RuleBook
from domain.slack import Slack, slack_at_first, slack_of
from domain.time.monthends import may_be_at_risk

MICROSECONDS = 1_000_000

_TIME_FACTS = frozenset({TimeLogged, TimeAmended, TimeVoided})

_NEED_SECONDS = frozenset(
    {
        CarePlanRecorded,
        ConditionRecorded,
        ConditionResolved,
        ConsentRecorded,
        ConsentRevoked,
        VisitRecorded,
    }
)
"""Facts that bear on an alert only where something was done in the month: whether a month without
is at risk hangs on the enrolment, and a conflict on what was billed."""


class LivePatient:
    """A patient with where each of its alerts stands."""

    __slots__ = ("_alerts", "_reckoned", "_slack", "patient")

    def __init__(self, patient: Patient, alerts: Iterable[tuple[Watched, Standing]] = ()) -> None:
        self.patient = patient
        self._reckoned: dict[Month, Reckoning] = {}
        """Months reckoned after the last event that touched them, until they are answered for."""
        self._slack: dict[Month, Slack] = {}
        self._alerts: dict[Month, dict[Watched, Standing]] = {}
        for watched, standing in alerts:
            if watched.crosses_patients:
                continue  # decided from the whole log, by the projections that cross patients
            self._alerts.setdefault(watched.month, {})[watched] = standing

    def take(
        self, event: Event, recorded_at_us: int, book: RuleBook, policy: Policy
    ) -> tuple[Set[Month], list[Transition]]:
        """Fold one event. Returns the months whose answer it may have changed and the alert
        transitions it caused."""
        evolve(self.patient, event)
        fact, now = event.fact, recorded_at_us // MICROSECONDS
        if type(fact) is TimeLogged:
            unmoved = self._within_slack(fact, now, book, policy)
            if unmoved is not None:
                return unmoved, []
        months: Set[Month] = months_touched(self.patient, event)
        watched = months
        if type(fact) not in _TIME_FACTS:
            self._slack = self._outlasting(fact, now)
            watched = months | (self._watched_besides(fact, now, policy) - self._slack.keys())
        occasion = Occasion(now, event.history)
        changes: list[Transition] = []
        for month in sorted(watched) if len(watched) > 1 else watched:
            reckoning = reckon(self.patient, month, book, policy)
            if month in months:
                self._reckoned[month] = reckoning
            changes += self._decide(reckoning, policy, occasion)
        return months, changes

    def _within_slack(
        self, fact: TimeLogged, now: Instant, book: RuleBook, policy: Policy
    ) -> Set[Month] | None:
        """The months of a new entry if none of their alerts can change by it."""
        entry = self.patient.entries.get(fact.entry_id)
        if entry is None or len(entry.revisions) > 1:
            return None
        months = entry.months
        for month in months:
            slack = self._slack.get(month) or self._slack_at_first(month, now, book, policy)
            if slack is None or not slack.takes(fact, now):
                return None
        if self._reckoned:
            for month in months:
                self._reckoned.pop(month, None)
        return months

    def _slack_at_first(
        self, month: Month, now: Instant, book: RuleBook, policy: Policy
    ) -> Slack | None:
        """The slack, noted, of a month that has only just got its first entry; None where one
        must look closer."""
        patient = self.patient
        if month in self._alerts or len(patient.entries.in_month(month)) > 1:
            return None
        if patient.chart.services or month in patient.chart.claims:
            return None
        slack = slack_at_first(book.on(month), policy, now)
        if slack is not None:
            self._slack[month] = slack
        return slack

    def _outlasting(self, fact: Fact, now: Instant) -> dict[Month, Slack]:
        """The slack that a fact other than time leaves: of months in which nothing was done."""
        if not self._slack or type(fact) not in _NEED_SECONDS:
            return {}
        known = months_known(self.patient)
        return {m: s for m, s in self._slack.items() if m not in known and s.lasts(now)}

    def _decide(self, reckoning: Reckoning, policy: Policy, occasion: Occasion) -> list[Transition]:
        """The month's transitions, noted; and how much may happen until the next one."""
        month = reckoning.month
        found = self._changes(reckoning, policy, occasion)
        if found:
            self._alerts.setdefault(month, {}).update((c.watched, c.standing) for c in found)
        slack = slack_of(reckoning, policy, occasion.now)
        if slack is None:
            self._slack.pop(month, None)
        else:
            self._slack[month] = slack
        return found

    def would_change(self, month: Month, now: Instant, book: RuleBook, policy: Policy) -> bool:
        """Whether the passing of time alone has changed an alert of the month by `now`."""
        reckoning = reckon(self.patient, month, book, policy)
        return bool(self._changes(reckoning, policy, Occasion(now)))

    def answer(self, month: Month, book: RuleBook, policy: Policy) -> Assessment | None:
        """The month's assessment as of the last event; None where it has no ground."""
        reckoning = self._reckoned.pop(month, None)
        if reckoning is None:
            reckoning = reckon(self.patient, month, book, policy)
        return answer(self.patient, reckoning, book) if reckoning.has_ground else None

    def _changes(
        self, reckoning: Reckoning, policy: Policy, occasion: Occasion
    ) -> list[Transition]:
        standing = self._alerts.get(reckoning.month, _NONE)
        wanted = to_raise(reckoning, policy, occasion.now)
        if not wanted and not standing:
            return []
        return transitions(standing, wanted, reckoning.month, reckoning.timezone, occasion)

    def _watched_besides(self, fact: Fact, now: Instant, policy: Policy) -> set[Month]:
        """Months in which nothing happened yet but which a fact other than time may put at risk
        or out of it; the month of a tick."""
        if isinstance(fact, ClockTicked):
            return {fact.month}
        months = set(may_be_at_risk(policy.at_risk_days, now)).difference(self._slack)
        if months and not self.patient.chart.spans:
            months.clear()
        for month, alerts in self._alerts.items():
            if any(standing.raised for standing in alerts.values()):
                months.add(month)
        if not months:
            return months
        first, last = reach(fact)
        return {m for m in months - months_known(self.patient) if first <= m <= last}


_NONE: Mapping[Watched, Standing] = {}
