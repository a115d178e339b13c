"""Everything that a packet tells of one patient-month, gathered once from the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from domain.assess import Assessment
from domain.assess.context import MonthContext, month_context
from domain.event import Event, EventKey
from domain.explain import Explanation
from domain.facts import (
    ClockTicked,
    EventRetracted,
    IdentityLinked,
    Month,
    MonthClaimed,
    MonthReopened,
    TimeAmended,
    TimeLogged,
    TimeVoided,
)
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import RuleBook
from projections.ports import StoredEvent
from services.audit.attesting import attestation
from services.audit.telling import Told, told
from services.bootstrap import Parts
from services.explain import explain_history
from services.histories import History, checked_month, history_of


@dataclass(frozen=True, slots=True)
class Asked:
    """Which patient-month, as known at which instant (microseconds since the epoch, None: now).

    `practice` may be None where only one practice has a patient of that id.
    """

    practice: str | None
    patient: str
    month: Month
    as_of_us: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`bearing` are the events that can matter to the month: all but the time and the claims of
    other months, ticks of our clock and identifiers. `told` has every event in words."""

    explained: Explanation
    history: History
    patient: Patient
    context: MonthContext
    policy: Policy
    book: RuleBook
    bearing: tuple[Event, ...]
    told: dict[EventKey, Told]
    seal: Mapping[str, bytes]
    """The files that show, under a signed checkpoint, that the bearing events are in the log; none
    where no checkpoint was made."""

    @property
    def answer(self) -> Assessment:
        return self.explained.assessment


def gather(parts: Parts, policy_of: Callable[[str], Policy], asked: Asked) -> Evidence:
    """Read the patient's history and explain the month. Raises Unanswerable."""
    month = checked_month(asked.month)
    history = history_of(parts.store, asked.practice, asked.patient, asked.as_of_us)
    policy = policy_of(history.practice_id)
    explained = explain_history(history, month, parts.book, policy_of, asked.as_of_us)
    patient = history.patient()
    context = month_context(patient, month, parts.book, policy)
    bearing = bearing_on(history, patient, month)
    return Evidence(
        explained=replace(explained, hints=()),  # proposals prove nothing
        history=history,
        patient=patient,
        context=context,
        policy=policy,
        book=parts.book,
        bearing=bearing,
        told=told(history, context.timezone),
        seal=attestation(parts.store, _stored(history, bearing)),
    )


def _stored(history: History, bearing: Iterable[Event]) -> list[StoredEvent]:
    keys = {event.key for event in bearing}
    pairs = zip(history.stored, history.events, strict=True)
    return [stored for stored, event in pairs if event.key in keys]


def bearing_on(history: History, patient: Patient, month: Month) -> tuple[Event, ...]:
    """The events that can matter to the month, in the order of the log."""
    entries = patient.entries.in_month(month)

    def matters(event: Event) -> bool:
        match event.fact:
            case TimeLogged() | TimeAmended() | TimeVoided() as fact:
                return fact.entry_id in entries
            case MonthClaimed() | MonthReopened() as fact:
                return fact.month == month
            case EventRetracted() as fact:
                target = patient.event((fact.event_source, fact.event_id))
                return target is None or target is event or matters(target)
            case ClockTicked() | IdentityLinked():
                return False
            case _:
                return True

    return tuple(event for event in history.events if matters(event))
