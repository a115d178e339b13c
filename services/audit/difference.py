"""One month at two instants: both answers, and which events between them made the difference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from domain.assess import Assessment, assess
from domain.event import Event, EventKey
from domain.facts import CodeUnits, Month, TimeAmended, TimeLogged, TimeVoided
from domain.fees.payment import Payment
from domain.patient import Patient, evolve
from domain.policy import Policy
from domain.rules import RuleBook
from infra.codec import instant_text
from services.audit.telling import Told, told
from services.histories import History, folded

UNCOMPARED = frozenset({"as_of", "stream_version"})
"""Members that tell of the asking, not of the month."""


@dataclass(frozen=True, slots=True)
class Worth:
    """What a month comes to."""

    status: str
    codes: tuple[CodeUnits, ...]
    payment: Payment | None


@dataclass(frozen=True, slots=True)
class Effect:
    """What one event did to the month.

    `changed` are the assessment's members that it changed when it was taken, and `before` and
    `after` what the month came to then. `decisive` are those that would differ at the later
    instant had it never come. An event with neither made no difference.
    """

    event: Told
    changed: tuple[str, ...]
    decisive: tuple[str, ...]
    before: Worth
    after: Worth

    @property
    def made_difference(self) -> bool:
        return bool(self.changed or self.decisive)


@dataclass(frozen=True, slots=True)
class Difference:
    """Both answers, the members in which they differ, and every event recorded in between, in
    the order of the log. `before` is None where nothing was known of the patient."""

    before: Assessment | None
    after: Assessment
    changed: tuple[str, ...]
    effects: tuple[Effect, ...]


def difference(
    history: History, month: Month, from_us: int, to_us: int, book: RuleBook, policy: Policy
) -> Difference:
    """Compare what was known of a month at two instants, the first not after the second.

    Rules, fees and policy are the same for both: what differs, facts made different.
    """
    early, late = history.by(from_us), history.by(to_us)
    judge = _Judge(month, book, policy)
    before, after = judge.of(early.patient()), judge.of(late.patient())
    known = {event.key for event in early.events}
    between = [event for event in late.events if event.key not in known]
    said = told(late, after.timezone)
    steps = _steps(judge, early, between)
    without = _without(judge, late, between, after)
    effects = tuple(
        Effect(said[event.key], members(*step), without[event.key], worth(step[0]), worth(step[1]))
        for event, step in zip(between, steps, strict=True)
    )
    return Difference(
        before=replace(before, as_of=instant_text(from_us)) if early.events else None,
        after=replace(after, as_of=instant_text(to_us)),
        changed=members(before, after),
        effects=effects,
    )


def members(one: Assessment, other: Assessment) -> tuple[str, ...]:
    """Names of what differs between two answers, in the assessment's order."""
    names = (field.name for field in fields(Assessment) if field.name not in UNCOMPARED)
    return tuple(name for name in names if getattr(one, name) != getattr(other, name))


def worth(answer: Assessment) -> Worth:
    return Worth(answer.status.value, answer.codes, answer.payment)


@dataclass(frozen=True, slots=True)
class _Judge:
    month: Month
    book: RuleBook
    policy: Policy

    def of(self, patient: Patient) -> Assessment:
        return assess(patient, self.month, self.book, self.policy)


def _steps(
    judge: _Judge, early: History, between: Iterable[Event]
) -> list[tuple[Assessment, Assessment]]:
    """The answer before and after each event, taken one by one."""
    patient = early.patient()
    answer = judge.of(patient)
    steps = []
    for event in between:
        evolve(patient, event)
        after = judge.of(patient)
        steps.append((answer, after))
        answer = after
    return steps


def _without(
    judge: _Judge, late: History, between: Iterable[Event], after: Assessment
) -> dict[EventKey, tuple[str, ...]]:
    """By event, what would be other without it."""
    bearing = _bearing_on(late.patient(), judge.month, late.events)
    found: dict[EventKey, tuple[str, ...]] = {event.key: () for event in between}
    for key in found.keys() & {event.key for event in bearing}:
        others = (event for event in bearing if event.key != key)
        rest = folded(late.practice_id, late.patient_id, others)
        found[key] = members(after, judge.of(rest))
    return found


def _bearing_on(patient: Patient, month: Month, events: Iterable[Event]) -> list[Event]:
    """All events but time entries that lie in other months."""
    entries = patient.entries.in_month(month)
    return [
        event
        for event in events
        if not isinstance(event.fact, TimeLogged | TimeAmended | TimeVoided)
        or event.fact.entry_id in entries
    ]
