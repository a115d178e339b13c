"""Ids of what is entered: the same however often a form is sent."""

from __future__ import annotations

from itertools import count, takewhile
from uuid import UUID, uuid5

from services.histories import History
from services.pages.saying import SOURCE


def event_id(act: UUID, practice: str, patient: str, number: int) -> str:
    """Of the fact of this number that an act says of a patient."""
    return str(uuid5(act, f"{number} {practice} {patient}"))


def new_entry_id(act: UUID, number: int = 0) -> str:
    """Of the time entry of this number that an act logs, the same however often it is sent."""
    return uuid5(act, f"entry {number}").hex[:16]


def stored_ids(history: History, act: UUID) -> tuple[str, ...]:
    """The events that came of an act, whatever they say."""
    ours = {event.id for event in history.events if event.source == SOURCE}
    ids = (event_id(act, history.practice_id, history.patient_id, n) for n in count())
    return tuple(takewhile(ours.__contains__, ids))
