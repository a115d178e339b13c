"""The live projections of one patient: month assessments and alert transitions, event by event.

Pure: folds events that were accepted and says what changed. Used by ingest, by rebuilds and by
audits, so that all three see the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.alerts import Standing, Transition, Watched, to_raise, transitions
from domain.assess import Assessment, Reckoning, answer, reckon
from domain.event import Event
from domain.facts import Month
from domain.patient import Patient, evolve, months_touched
from domain.policy import Policy
from domain.rules import RuleBook

MICROSECONDS = 1_000_000


class LivePatient:
    """A patient with where each of its alerts stands."""

    __slots__ = ("_alerts", "_reckoned", "patient")

    def __init__(self, patient: Patient, alerts: Iterable[tuple[Watched, Standing]] = ()) -> None:
        self.patient = patient
        self._reckoned: dict[Month, Reckoning] = {}
        """Months reckoned after the last event that touched them, until they are answered for."""
        self._alerts: dict[Month, dict[Watched, Standing]] = {}
        for watched, standing in alerts:
            self._alerts.setdefault(watched.month, {})[watched] = standing

    def take(
        self, event: Event, recorded_at_us: int, book: RuleBook, policy: Policy
    ) -> tuple[set[Month], list[Transition]]:
        """Fold one event. Returns the months whose answer it may have changed and the alert
        transitions it caused."""
        evolve(self.patient, event)
        months = months_touched(self.patient, event)
        changes: list[Transition] = []
        for month in sorted(months) if len(months) > 1 else months:
            reckoning = self._reckoned[month] = reckon(self.patient, month, book, policy)
            changes += self._watch(reckoning, policy, recorded_at_us // MICROSECONDS)
        return months, changes

    def answer(self, month: Month, book: RuleBook, policy: Policy) -> Assessment | None:
        """The month's assessment as of the last event; None where it has no ground."""
        reckoning = self._reckoned.pop(month, None)
        if reckoning is None:
            reckoning = reckon(self.patient, month, book, policy)
        return answer(self.patient, reckoning, book) if reckoning.has_ground else None

    def _watch(self, reckoning: Reckoning, policy: Policy, now: int) -> list[Transition]:
        standing = self._alerts.get(reckoning.month, {})
        wanted = to_raise(reckoning, policy, now)
        if not wanted and not standing:
            return []
        changes = transitions(standing, wanted, reckoning.month)
        if changes:
            of_month = self._alerts.setdefault(reckoning.month, {})
            for change in changes:
                of_month[change.watched] = Standing(change.number, change.raised)
        return changes
