"""A month explained from the log, as known now or as it was known at an instant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from domain.explain import Explanation, explain
from domain.facts import Month
from domain.policy import Policy
from domain.rules import RuleBook
from infra.codec import instant_text
from projections.ports import Store
from services.explain.hints import hints, needs_hints
from services.histories import History, checked_month, history_of


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
    assessment's `as_of`. Raises `services.histories.Unanswerable` for a month out of form, an
    unknown patient, one that several practices have, and one of whom nothing was known then.
    """
    checked_month(month)
    history = history_of(store, practice, patient, as_of_us)
    return explain_history(history, month, book, policy_of, as_of_us)


def explain_history(
    history: History,
    month: Month,
    book: RuleBook,
    policy_of: Callable[[str], Policy],
    as_of_us: int | None = None,
) -> Explanation:
    """Explain a month from what was known by an instant, which shows in `as_of`. Where chronic
    conditions are missing, hints say which diagnoses might be looked at."""
    patient, policy = history.patient(), policy_of(history.practice_id)
    explained = explain(patient, month, book, policy)
    if needs_hints(explained):
        explained = replace(explained, hints=hints(patient, month, book, policy))
    if as_of_us is None:
        return explained
    dated = replace(explained.assessment, as_of=instant_text(as_of_us))
    return replace(explained, assessment=dated)
