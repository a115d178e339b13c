"""The live projections of one patient: month assessments and alert transitions, event by event.

Pure: folds events that were accepted and says what changed. Used by ingest, by rebuilds and by
audits, so that all three see the same.
"""

from __future__ import annotations

from collections.abc import Iterable

from domain.alerts import Standing, Transition, Watched, to_raise, transitions
from domain.assess import Assessment, assess, has_ground
from domain.event import Event
from domain.facts import Month
from domain.patient import Patient, evolve, months_touched
from domain.policy import Policy
from domain.rules import RuleBook

MICROSECONDS = 1_000_000


class LivePatient:
    """A patient with where each of its alerts stands."""

    __slots__ = ("_alerts", "patient")

    def __init__(
        self, patient: Patient, alerts: Iterable[tuple[Watched, Standing]] = ()
    ) -> None:
        self.patient = patient
        self._alerts: dict[Month, dict[Watched, Standing]] = {}
        for watched, standing in alerts:
            self._alerts.setdefault(watched.month, {})[watched] = standing

    def take(
        self, event: Event, recorded_at_us: int, book: RuleBook, policy: Policy
    ) -> tuple[dict[Month, Assessment | None], list[Transition]]:
        """Fold one event. Returns the months it touched (None: nothing left to assess) and the
        alert transitions it caused."""
        evolve(self.patient, event)
        answers: dict[Month, Assessment | None] = {}
        changes: list[Transition] = []
        for month in sorted(months_touched(self.patient, event)):
            answer = assess(self.patient, month, book, policy)
            answers[month] = answer if has_ground(self.patient, answer) else None
            changes.extend(self._watch(answer, policy, recorded_at_us // MICROSECONDS))
        return answers, changes

    def _watch(self, answer: Assessment, policy: Policy, now: int) -> list[Transition]:
        standing = self._alerts.get(answer.month, {})
        wanted = to_raise(answer, policy, now)
        if not wanted and not standing:
            return []
        changes = transitions(standing, wanted, answer.month)
        if changes:
            of_month = self._alerts.setdefault(answer.month, {})
            for change in changes:
                of_month[change.watched] = Standing(change.number, change.raised)
        return changes
