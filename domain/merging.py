"""Two records that turn out to be one patient's: the history of one is carried over to the other.

`patient.merged.v1` stands in the history of the record that ends and names the one that stays.
Every fact of the former is told again in the latter's history, under an id made from its own, with
its own time: so the answers of the patient who stays are those of all facts of both. Where the
merge is retracted, what was carried over is withdrawn. What is owed is a function of the two
histories, so order and repetition change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256

from domain.event import Event, EventKey
from domain.facts import (
    ClockTicked,
    EventRetracted,
    Fact,
    IdentityLinked,
    Instant,
    PatientMerged,
)
from domain.patient import Patient
from domain.rejections import Reason, Rejection
from domain.retractions import withdrawn_keys

CARRIED_SOURCE = "!caretally/merged"
"""The `source` of what is carried over; no sender may use it. It sorts before all others, so that
of two revisions of one time the word of the source itself stands, not the one carried over."""

NOT_CARRIED = (PatientMerged, IdentityLinked, ClockTicked)
"""An identifier goes on to mean the record that ended: what is said of it is carried over, and a
merge that was wrong can be undone without a trace in the wrong history."""

ID_CHARS_MAX = 240
"""No id is longer than 256, and a withdrawal's has a number behind it."""

_UNMERGED = "the records are two patients' after all"
_MERGED = "the records are one patient's after all"


@dataclass(frozen=True, slots=True)
class Owed:
    """An event that the patient who stays must have. `of` is the event that it tells again; None
    for one that withdraws what was carried over, or its withdrawal."""

    key: EventKey
    time: Instant
    fact: Fact
    of: Event | None
    history: bool = False


def carried_key(key: EventKey, losing: str, into: str) -> EventKey:
    """Under what an event of the record that ends is carried over. Such keys sort as the events'
    own, but for very long ones, and no two records make the same."""
    id = f"{into} {losing} {key[0]} {key[1]}"
    if len(id) > ID_CHARS_MAX:
        id = f"{id[: ID_CHARS_MAX - 65]} {sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return (CARRIED_SOURCE, id)


def merged_into(patient: Patient) -> str | None:
    """The patient whom this one's history was carried over to; None for a patient who stands."""
    merged = patient.chart.merged
    if merged is None:
        return None
    assert isinstance(merged.fact, PatientMerged)
    return merged.fact.into


def targets(patient: Patient) -> list[str]:
    """Everyone whom the patient was ever merged into, whether or not it stands."""
    return sorted({event.fact.into for event in patient.merges})  # type: ignore[union-attr]


def owed(losing: Patient, events: Iterable[Event], stays: Patient) -> Iterator[Owed]:
    """What `stays` lacks of these events of `losing`, or has too much, in their order."""
    merged = merged_into(losing) == stays.patient_id
    said = max(each.time for each in (*losing.merges, *losing.retractions))
    for event in events:
        if isinstance(event.fact, NOT_CARRIED):
            continue
        key = carried_key(event.key, losing.patient_id, stays.patient_id)
        if stays.event(key) is None:
            if merged:
                fact = _told_again(event.fact, losing.patient_id, stays.patient_id)
                yield Owed(key, event.time, fact, event, event.history)
            continue
        turns = _turns(stays, key)
        if merged == bool(turns % 2):
            reason = _MERGED if merged else _UNMERGED
            target = _turn(key, turns) if turns else key
            yield Owed(_turn(key, turns + 1), said, EventRetracted(*target, reason), None, True)


def _told_again(fact: Fact, losing: str, into: str) -> Fact:
    """A retraction names what was carried over, not what it came from."""
    if not isinstance(fact, EventRetracted):
        return fact
    source, id = carried_key((fact.event_source, fact.event_id), losing, into)
    return replace(fact, event_source=source, event_id=id)


def _turn(key: EventKey, number: int) -> EventKey:
    return (CARRIED_SOURCE, f"{key[1]} ~{number}")


def _turns(stays: Patient, key: EventKey) -> int:
    """How often the event was withdrawn and brought back: odd while it is withdrawn."""
    number = 0
    while stays.event(_turn(key, number + 1)) is not None:
        number += 1
    return number


def circle(
    patient: Patient, event: Event, into_of: Callable[[str], str | None]
) -> Rejection | None:
    """The refusal of an event by which the patient would be merged into itself, be it through
    others; `into_of` says whom each other patient is merged into."""
    fact = event.fact
    if not (isinstance(fact, PatientMerged) or (patient.merges and _retracts(fact))):
        return None
    merges = [*patient.merges, *([event] if isinstance(fact, PatientMerged) else [])]
    retractions = [*patient.retractions, *([event] if _retracts(fact) else [])]
    gone = withdrawn_keys(retractions)
    standing = [each for each in merges if each.key not in gone or each is event]
    last = max(standing, key=lambda each: each.order, default=None)
    into = None if last is None else last.fact.into  # type: ignore[union-attr]
    seen = set()
    while into is not None and into != patient.patient_id and into not in seen:
        seen.add(into)
        into = into_of(into)
    if into is None:
        return None
    sentence = (
        "data.into: expected a patient who is not merged into this one; found a circle of merges."
    )
    return Rejection(Reason.MERGE_CIRCLE, sentence, "data.into")


def _retracts(fact: Fact) -> bool:
    return isinstance(fact, EventRetracted)
