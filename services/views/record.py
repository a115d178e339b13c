"""A patient-month with everything a page tells of it, as known now or at any moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.assess import Assessment
from domain.assess.context import MonthContext, month_context
from domain.event import Event, EventKey
from domain.explain import Explanation
from domain.facts import Month
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import RuleBook
from infra.codec import stream_id
from infra.eventstore.browsing import open_browsing
from projections.ports import TransitionRow
from services.audit.packet.evidence import bearing_on
from services.audit.telling import Told, told
from services.bootstrap import Parts
from services.explain import explain_history
from services.histories import History, checked_month, history_of


@dataclass(frozen=True, slots=True)
class Known:
    """`bearing` are the events that can matter to the month, `moves` the transitions of its alerts;
    `told` has every event in words."""

    at_us: int | None
    explained: Explanation
    history: History
    patient: Patient
    context: MonthContext
    policy: Policy
    book: RuleBook
    bearing: tuple[Event, ...]
    told: dict[EventKey, Told]
    moves: tuple[TransitionRow, ...]

    @property
    def answer(self) -> Assessment:
        return self.explained.assessment


@dataclass(frozen=True, slots=True)
class Record:
    """All that is recorded of a patient, read once: any moment is told from it."""

    parts: Parts
    month: Month
    history: History
    moves: tuple[TransitionRow, ...]

    def now(self) -> Known:
        """Everything that is recorded."""
        return self._of(self.history, None)

    def at(self, at_us: int) -> Known | None:
        """What was recorded by an instant (microseconds since the epoch); None for nothing."""
        history = self.history.by(at_us)
        return self._of(history, at_us) if history.events else None

    def _of(self, history: History, at_us: int | None) -> Known:
        parts, month = self.parts, self.month
        policy = parts.settings.policy_of(history.practice_id)
        patient = history.patient()
        context = month_context(patient, month, parts.book, policy)
        return Known(
            at_us=at_us,
            explained=explain_history(history, month, parts.book, lambda _: policy, at_us),
            history=history,
            patient=patient,
            context=context,
            policy=policy,
            book=parts.book,
            bearing=bearing_on(history, patient, month),
            told=told(history, context.timezone),
            moves=tuple(_by(self.moves, at_us)),
        )


def record_of(parts: Parts, practice: str, patient: str, month: Month) -> Record:
    """The patient's record. Raises Unanswerable for an unknown patient and a month out of form."""
    checked_month(month)
    history = history_of(parts.store, practice, patient)
    moves = open_browsing(parts.store).transitions(stream_id(practice, patient))
    return Record(parts, month, history, tuple(m for m in moves if m.state.month == month))


def _by(moves: Iterable[TransitionRow], at_us: int | None) -> Iterable[TransitionRow]:
    return (move for move in moves if at_us is None or move.recorded_at_us <= at_us)
