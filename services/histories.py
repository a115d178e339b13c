"""Stored histories, folded whole or as they were known at an instant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from domain.event import Event
from domain.patient import Patient, evolve
from infra.codec import decode_event, instant_text, split_stream_id, stream_id
from projections.ports import Store, StoredEvent
from services.wire import instants

STREAMS_AT_ONCE = 500


class Unanswerable(ValueError):
    """What was asked for cannot be answered. `field` names the argument: month, patient or
    practice."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, slots=True)
class History:
    """A patient's events in the order of the log, as stored and as facts.

    Every event is here, also those that a snapshot stands for.
    """

    practice_id: str
    patient_id: str
    stored: list[StoredEvent]
    events: list[Event]

    def by(self, as_of_us: int | None) -> History:
        """What was known by an instant (microseconds since the epoch; None: all of it)."""
        if as_of_us is None:
            return self
        pairs = zip(self.stored, self.events, strict=True)
        known = [pair for pair in pairs if known_by(pair[1], as_of_us)]
        stored, events = [pair[0] for pair in known], [pair[1] for pair in known]
        return History(self.practice_id, self.patient_id, stored, events)

    def patient(self) -> Patient:
        """The patient as these events make it."""
        return folded(self.practice_id, self.patient_id, self.events)


def known_by(event: Event, as_of_us: int) -> bool:
    """Whether the event was stored by then; one of unknown recording never was."""
    return event.recorded_at_us is not None and event.recorded_at_us <= as_of_us


def folded(practice: str, patient: str, events: Iterable[Event]) -> Patient:
    """The patient as these events make it."""
    made = Patient(practice, patient)
    for event in events:
        evolve(made, event)
    return made


def histories(
    store: Store, practice: str | None = None, patient: str | None = None
) -> Iterator[History]:
    """Every stored patient's history (of this practice, of this id), by practice and patient."""
    everybody = map(split_stream_id, store.versions())
    wanted = sorted(a for a in everybody if practice in (None, a[0]) and patient in (None, a[1]))
    return histories_of(store, wanted)


def histories_of(store: Store, addresses: Iterable[tuple[str, str]]) -> Iterator[History]:
    """The histories of these patients (practice and patient), in the order they are given."""
    rest = iter(addresses)
    while chunk := list(islice(rest, STREAMS_AT_ONCE)):
        loaded = store.load([stream_id(*address) for address in chunk])
        for address in chunk:
            yield _history(*address, loaded.pop(stream_id(*address)).events)


def history_of(
    store: Store, practice: str | None, patient: str, as_of_us: int | None = None
) -> History:
    """One patient's history, as known by an instant.

    `practice` may be None where only one practice has a patient of that id. Raises Unanswerable
    for an unknown patient, one that several practices have, and one of whom nothing was known.
    """
    owner = practice if practice is not None else practice_of(store, patient)
    stream = stream_id(owner, patient)
    stored = store.load([stream])[stream].events
    if not stored:
        raise Unanswerable("patient", f"practice {owner!r} has no patient {patient!r}")
    known = _history(owner, patient, stored).by(as_of_us)
    if not known.events:
        at = instant_text(as_of_us or 0)
        raise Unanswerable("patient", f"nothing was known of patient {patient!r} at {at}")
    return known


def checked_month(month: str) -> str:
    """The month as it is. Raises Unanswerable for one out of form."""
    try:
        return instants.month(month)
    except ValueError:
        expected = "expected YYYY-MM from 2010-01 to 2099-12"
        raise Unanswerable("month", f"month {month[:20]!r}: {expected}") from None


def _history(practice: str, patient: str, stored: list[StoredEvent]) -> History:
    return History(practice, patient, stored, [decode_event(event) for event in stored])


def practice_of(store: Store, patient: str) -> str:
    """The one practice that has a patient of this id. Raises Unanswerable for none or several."""
    addresses = map(split_stream_id, store.versions())
    practices = sorted(practice for practice, subject in addresses if subject == patient)
    if not practices:
        raise Unanswerable("patient", f"patient {patient!r} is not in the store")
    if len(practices) > 1:
        named = ", ".join(map(repr, practices))
        sentence = f"several practices have a patient {patient!r}: give one of {named}"
        raise Unanswerable("practice", sentence)
    return practices[0]
