"""The patient: a decider over one stream of events.

`decide` says whether an event is new; `evolve` is the only code that turns events into state.
Facts are kept as sets of revisions, so order, repetition and lateness change nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any

from domain.archive import Archive
from domain.chart import Chart, draw_chart
from domain.entries import Entry, TimeEntries
from domain.event import Event, EventKey
from domain.facts import (
    ClockTicked,
    ComplexityAssessed,
    EventRetracted,
    Month,
    MonthClaimed,
    MonthReopened,
    PatientMerged,
    TimeAmended,
    TimeLogged,
    TimeVoided,
)
from domain.reach import reach
from domain.rejections import Reason, Rejection
from domain.retractions import around, target_of, withdrawn_keys


@dataclass(frozen=True, slots=True)
class Accepted:
    """The event is new: append it."""


@dataclass(frozen=True, slots=True)
class Duplicate:
    """The same event said again: no effect, however late."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The event must not enter the log."""

    rejection: Rejection


Decision = Accepted | Duplicate | Refused
_OF_A_MONTH = frozenset({ComplexityAssessed, MonthClaimed, MonthReopened})
TIME_FACTS = frozenset({TimeLogged, TimeAmended, TimeVoided})
ACCEPTED = Accepted()
DUPLICATE = Duplicate()


class Patient:
    """One patient's state, folded from its events.

    Mutable for the sake of speed, with one rule: only `evolve` changes it. A holder whose
    transaction failed throws the object away and folds anew.
    """

    __slots__ = (
        "_chart",
        "entries",
        "events",
        "ground",
        "memo",
        "merges",
        "naming",
        "patient_id",
        "practice_id",
        "retractions",
        "says_of_months",
        "version",
        "withdrawn",
    )

    def __init__(self, practice_id: str, patient_id: str) -> None:
        self.practice_id = practice_id
        self.patient_id = patient_id
        self.version = 0
        self.events: dict[EventKey, Event] = {}
        """By key; without the time events that are put away: `event` knows those too."""
        self.entries = TimeEntries(self.events)
        self.ground: list[Event] = []
        self.says_of_months = False
        """Whether any of the ground is about one month alone."""
        self.retractions: list[Event] = []
        self.naming: dict[EventKey, list[Event]] = {}
        """Retractions by what they name, in force or not."""
        self.merges: list[Event] = []
        """Of the ground, those that say that this record ended, standing or not."""
        self.withdrawn: frozenset[EventKey] = frozenset()
        self._chart: Chart | None = None
        self.memo: dict[Any, Any] = {}
        """What is derived from the chart alone; emptied when the chart changes."""

    @classmethod
    def restored(
        cls,
        practice_id: str,
        patient_id: str,
        version: int,
        kept: Iterable[Event],
        archive: Archive,
    ) -> Patient:
        """The patient of `version` events: those not about time, and the archive of the others."""
        patient = cls(practice_id, patient_id)
        patient.version = version
        for event in kept:
            retracts = isinstance(event.fact, EventRetracted)
            (patient.retractions if retracts else patient.ground).append(event)
            if isinstance(event.fact, PatientMerged):
                patient.merges.append(event)
            patient.says_of_months |= type(event.fact) in _OF_A_MONTH
        for retraction in patient.retractions:
            patient.naming.setdefault(target_of(retraction), []).append(retraction)
        patient.withdrawn = patient.entries.withdrawn = withdrawn_keys(patient.retractions)
        patient.put_away(archive)
        return patient

    @property
    def chart(self) -> Chart:
        """The standing facts but time, drawn anew after a change."""
        if self._chart is None:
            self._chart = draw_chart(e for e in self.ground if e.key not in self.withdrawn)
        return self._chart

    def forget_chart(self) -> None:
        """The ground facts changed: what was derived from them no longer holds."""
        self._chart = None
        self.memo.clear()

    def put_away(self, archive: Archive) -> None:
        """The archive holds the patient's time events from now on."""
        self.events.clear()
        self.events.update((event.key, event) for event in (*self.ground, *self.retractions))
        self.entries.put_away(archive)
        self.memo.clear()

    def event(self, key: EventKey) -> Event | None:
        """The event under a (`source`, `id`)."""
        return self.events.get(key) or self.entries.event(key)


def decide(patient: Patient, event: Event) -> Decision:
    """Whether the event is new for this patient, said before, or in conflict with the first."""
    known = patient.event((event.source, event.id))
    if known is None:
        return ACCEPTED
    if known.digest == event.digest:
        return DUPLICATE
    return Refused(conflicting_duplicate())


def conflicting_duplicate() -> Rejection:
    """The refusal of other content under a (`source`, `id`) that is taken."""
    return Rejection(
        Reason.CONFLICTING_DUPLICATE,
        "id: expected a new id for new content; found a source and id that are stored already, "
        "with other content.",
        "id",
    )


def evolve(patient: Patient, event: Event) -> Patient:
    """Fold one accepted event into the patient and return it.

    Total: every decodable event folds. The same set of events folds to the same answers in
    any order. A tick is no fact about the patient: it only counts.
    """
    patient.version += 1
    fact = event.fact
    if type(fact) is ClockTicked:
        return patient
    patient.events[(event.source, event.id)] = event
    if type(fact) in TIME_FACTS:
        patient.entries.fold(fact.entry_id, event)  # type: ignore[union-attr]
    elif isinstance(fact, EventRetracted):
        _fold_retraction(patient, event)
    else:
        patient.ground.append(event)
        patient.forget_chart()
        if type(fact) is PatientMerged:
            patient.merges.append(event)
        elif type(fact) in _OF_A_MONTH:
            patient.says_of_months = True
    return patient


def _fold_retraction(patient: Patient, event: Event) -> None:
    before, target = patient.withdrawn, target_of(event)
    patient.retractions.append(event)
    patient.naming.setdefault(target, []).append(event)
    known = patient.events.get(target)
    plain = known is not None and not isinstance(known.fact, EventRetracted)
    if plain and event.key not in patient.naming:
        # No retraction hangs on this one: what else is withdrawn stays as it is.
        patient.withdrawn = before | {target}
    else:
        near = around(event, patient.naming, patient.events)
        patient.withdrawn = before.difference(map(target_of, near)) | withdrawn_keys(near)
    patient.entries.withdrawn = patient.withdrawn
    for key in before ^ patient.withdrawn:
        changed = patient.events.get(key)
        if changed is None:
            continue
        entry = _entry_of(patient, changed)
        if entry is not None:
            patient.entries.settle(entry)
        else:
            patient.forget_chart()


def _entry_of(patient: Patient, event: Event) -> Entry | None:
    fact = event.fact
    if isinstance(fact, TimeLogged | TimeAmended | TimeVoided):
        return patient.entries.get(fact.entry_id)
    return None


def months_touched(patient: Patient, event: Event) -> Set[Month]:
    """Months whose assessment the event may have changed, asked after it was folded."""
    fact = event.fact
    if type(fact) in TIME_FACTS:
        entry = patient.entries.get(fact.entry_id)  # type: ignore[union-attr]
        return set() if entry is None else entry.months
    if isinstance(fact, EventRetracted):
        return _months_of_target(patient, fact)
    if isinstance(fact, ClockTicked):
        return set()
    first, last = reach(fact)
    if first == last:
        return {first}  # even where it takes the month's only ground away
    return {month for month in months_known(patient) if first <= month <= last}


def _months_of_target(patient: Patient, fact: EventRetracted) -> Set[Month]:
    target = patient.event((fact.event_source, fact.event_id))
    if target is None:
        return set()
    if isinstance(target.fact, EventRetracted):
        return months_known(patient)
    return months_touched(patient, target)


def months_known(patient: Patient) -> set[Month]:
    """Every month in which something of this patient may lie."""
    if not patient.says_of_months:
        return set(patient.entries.months)
    chart = patient.chart
    found = {*patient.entries.months, *chart.complexity, *chart.claims}
    if chart.merged is not None:
        found |= {
            event.fact.month
            for event in patient.ground
            if isinstance(event.fact, ComplexityAssessed | MonthClaimed)
        }
    return found
