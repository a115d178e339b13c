"""What somebody has just entered, and what it changed: told from the log itself."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from domain.assess import assess
from services.histories import folded
from services.pages.enter.foreseeing import Change, effect_sentences
from services.pages.saying import SOURCE
from services.views.record import Known


@dataclass(frozen=True, slots=True)
class Effect:
    """What was entered, and sentences on what the month gained or lost by it."""

    entered: tuple[str, ...]
    sentences: tuple[str, ...]


def effect_of(known: Known, ids: Collection[str]) -> Effect | None:
    """The effect of events that were entered on our pages; None where none of them is there."""
    keys = {(SOURCE, id) for id in ids}
    history, month = known.history, known.answer.month
    entered = [event for event in history.events if event.key in keys]
    if not entered:
        return None
    rest = [event for event in history.events if event.key not in keys]
    without = folded(history.practice_id, history.patient_id, rest)
    before = assess(without, month, known.book, known.policy)
    sentences = effect_sentences(Change(before, known.answer))
    return Effect(tuple(known.told[each.key].about for each in entered), tuple(sentences))
