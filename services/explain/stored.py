"""A month explained from the log, as known now or as it was known at an instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from domain.event import Event
from domain.explain import Explanation, explain
from domain.facts import Month
from domain.patient import Patient, evolve
from domain.policy import Policy
from domain.rules import RuleBook
from infra.codec import decode_event, split_stream_id, stream_id, utc_text
from projections.ports import Store, StoredEvent
from services.wire import instants


class ExplainError(ValueError):
    """What was asked for cannot be explained. `field` names the argument: month, patient or
    practice."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def explain_stored(
    store: Store,
    book: RuleBook,
    policy_of: Callable[[str], Policy],
    practice: str | None,
    patient: str,
    month: Month,
    as_of_us: int | None = None,
) -> Explanation:
    """Explain a month of a stored patient.

    `practice` may be None where only one practice has a patient of that id. `as_of_us`
    (microseconds since the epoch) leaves out what was first stored later, and shows in the
    assessment's `as_of`. Raises ExplainError for a month out of form, an unknown patient, one
    that several practices have, and one of whom nothing was known at that instant.
    """
    _check_month(month)
    found = practice if practice is not None else _only_practice(store, patient)
    known = _patient(store, found, patient, as_of_us)
    explained = explain(known, month, book, policy_of(found))
    if as_of_us is None:
        return explained
    dated = replace(explained.assessment, as_of=utc_text(as_of_us))
    return replace(explained, assessment=dated)


def _check_month(month: str) -> None:
    try:
        instants.month(month)
    except ValueError:
        expected = "expected YYYY-MM from 2010-01 to 2099-12"
        raise ExplainError("month", f"month {month[:20]!r}: {expected}") from None


def _only_practice(store: Store, patient: str) -> str:
    addresses = map(split_stream_id, store.versions())
    practices = sorted(practice for practice, subject in addresses if subject == patient)
    if not practices:
        raise ExplainError("patient", f"patient {patient!r} is not in the store")
    if len(practices) > 1:
        named = ", ".join(map(repr, practices))
        sentence = f"several practices have a patient {patient!r}: give one of {named}"
        raise ExplainError("practice", sentence)
    return practices[0]


def _patient(store: Store, practice: str, patient: str, as_of_us: int | None) -> Patient:
    stream = stream_id(practice, patient)
    history = _history(store, stream)
    if not history:
        raise ExplainError("patient", f"practice {practice!r} has no patient {patient!r}")
    folded = Patient(practice, patient)
    for event in map(decode_event, history):
        if as_of_us is None or _known_by(event, as_of_us):
            evolve(folded, event)
    if not folded.version:
        sentence = f"nothing was known of patient {patient!r} at {utc_text(as_of_us or 0)}"
        raise ExplainError("patient", sentence)
    return folded


def _known_by(event: Event, as_of_us: int) -> bool:
    return event.recorded_at_us is not None and event.recorded_at_us <= as_of_us


def _history(store: Store, stream: str) -> list[StoredEvent]:
    """Every event of the stream: an explanation must name those that a snapshot stands for."""
    return store.load([stream])[stream].events
