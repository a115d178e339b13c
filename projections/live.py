"""The live projections of one patient: month assessments and alert transitions, event by event.

Pure: folds events that were accepted and says what changed. Used by ingest, by rebuilds and by
audits, so that all three see the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain.alerts import (
    Occasion,
    Standing,
    Transition,
    Watched,
    may_be_at_risk,
    to_raise,
    transitions,
)
from domain.assess import Assessment, Reckoning, answer, reckon
from domain.event import Event
from domain.facts import ClockTicked, Fact, Instant, Month, TimeAmended, TimeLogged, TimeVoided
from domain.patient import Patient, evolve, months_known, months_touched
from domain.policy import Policy
from domain.reach import reach
from domain.rules import RuleBook
from domain.time.calendar import months_possible

MICROSECONDS = 1_000_000

_TIME_FACTS = frozenset({TimeLogged, TimeAmended, TimeVoided})


class LivePatient:
    """A patient with where each of its alerts stands."""

    __slots__ = ("_alerts", "_reckoned", "patient")

    def __init__(self, patient: Patient, alerts: Iterable[tuple[Watched, Standing]] = ()) -> None:
        self.patient = patient
        self._reckoned: dict[Month, Reckoning] = {}
        """Months reckoned after the last event that touched them, until they are answered for."""
        self._alerts: dict[Month, dict[Watched, Standing]] = {}
        for watched, standing in alerts:
            if watched.crosses_patients:
                continue  # decided from the whole log, by the projections that cross patients
            self._alerts.setdefault(watched.month, {})[watched] = standing

    def take(
        self, event: Event, recorded_at_us: int, book: RuleBook, policy: Policy
    ) -> tuple[set[Month], list[Transition]]:
        """Fold one event. Returns the months whose answer it may have changed and the alert
        transitions it caused."""
        evolve(self.patient, event)
        months = months_touched(self.patient, event)
        occasion = Occasion(recorded_at_us // MICROSECONDS, event.history)
        watched = months
        if type(event.fact) not in _TIME_FACTS:
            watched = months | self._watched_besides(event.fact, occasion.now, policy)
        changes: list[Transition] = []
        for month in sorted(watched) if len(watched) > 1 else watched:
            reckoning = reckon(self.patient, month, book, policy)
            if month in months:
                self._reckoned[month] = reckoning
            found = self._changes(reckoning, policy, occasion)
            if found:
                self._alerts.setdefault(month, {}).update((c.watched, c.standing) for c in found)
                changes += found
        return months, changes

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
        months = {m for m in months_possible(now, now) if may_be_at_risk(m, policy, now)}
        if not self.patient.chart.spans:
            months.clear()
        for month, alerts in self._alerts.items():
            if any(standing.raised for standing in alerts.values()):
                months.add(month)
        if not months:
            return months
        first, last = reach(fact)
        return {m for m in months - months_known(self.patient) if first <= m <= last}


_NONE: Mapping[Watched, Standing] = {}
