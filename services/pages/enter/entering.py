"""Entering facts by hand: a person's act, stored whole or not at all, and once however often sent.

What would not count, or would come after a claim, is asked about before it is stored. The question
and the answer are about the very state the facts are stored upon: whatever comes in between makes
the act begin anew, and ask again where the answer would be another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec

from domain.event import Event, EventKey
from domain.facts import (
    FACT_OF_TYPE,
    ComplexityAssessed,
    ConditionRecorded,
    ConditionResolved,
    ConsentRecorded,
    ConsentRevoked,
    Fact,
    Instant,
    PatientDied,
    PatientDisenrolled,
    PatientEnrolled,
    PatientMerged,
    StayRecorded,
    TimeAmended,
    TimeLogged,
    TimeVoided,
)
from domain.rejections import Rejection
from infra.codec import canonical_json, stream_id
from services.bootstrap import Parts
from services.histories import History, Unanswerable, history_of
from services.ingest import Busy, Ingest
from services.pages.enter.elsewhere import elsewhere
from services.pages.enter.foreseeing import Caution, foreseen, mark_of
from services.pages.enter.names import event_id
from services.pages.saying import (
    SOURCE,
    TRIES_MAX,
    Moved,
    NotTaken,
    document,
    take_whole,
    versions_of,
)
from services.wire.decode import Accepted, decode_document, faults_of

_STATE: Final = msgspec.json.Decoder(dict[str, Any])
_IN_ORDER: Final[tuple[tuple[type[Fact], ...], ...]] = (
    (TimeLogged, TimeAmended, TimeVoided),
    (ConditionRecorded, ConditionResolved),
    (ConsentRecorded, ConsentRevoked),
    (PatientEnrolled, PatientDisenrolled),
    (PatientDied,),
    (ComplexityAssessed,),
    (StayRecorded,),
)
"""Kinds of facts of which the later one stands."""


@dataclass(frozen=True, slots=True)
class Saying:
    """One fact as it will be said: its type and `data` in the contract's words."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to be stored of a patient. `id` is the form's own: sent twice it is one
    act. `revision` is what the form was filled in upon, by the entry it corrects."""

    id: UUID
    practice: str
    patient: str
    sayings: Sequence[Saying]
    by: str
    seen: str = ""
    """The mark of the cautions that the person has seen."""
    revision: Mapping[str, str] = field(default_factory=dict)
    is_new: bool = False
    """Whether the patient may be one of whom nothing is known yet."""

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the events, the same however often the form is sent."""
        numbers = range(len(self.sayings))
        return tuple(event_id(self.id, self.practice, self.patient, n) for n in numbers)


class Wrong(Exception):
    """Something is wrong with the facts; `faults` by the number of the saying."""

    def __init__(self, faults: Mapping[int, Sequence[Rejection]]) -> None:
        super().__init__("the facts were not taken")
        self.faults = faults


class Asks(Exception):
    """Nothing is wrong, but the person should know something first."""

    def __init__(self, cautions: Sequence[Caution]) -> None:
        super().__init__("the facts wait for a word")
        self.cautions = tuple(cautions)
        self.mark = mark_of(cautions)


class Outdated(Exception):
    """What is to be corrected says something else than it did on the form."""


class SavedBefore(Exception):
    """The same form was stored before, with other content."""


def enter(parts: Parts, ingest: Ingest, wish: Wish) -> tuple[str, ...]:
    """Store it, and return the event ids when it is durable; no effect where it is stored already.

    Raises Wrong, Asks, Outdated, SavedBefore, Unanswerable (no such patient), NotTaken, Busy, and
    whatever an outage of the store raises: nothing was written then.
    """
    for _ in range(TRIES_MAX):
        try:
            return _attempt(parts, ingest, wish)
        except Moved:
            continue
        except NotTaken as refusal:
            if not refusal.is_known:
                raise
    raise Busy("other events of this patient keep coming in")


def history_or_empty(parts: Parts, practice: str, patient: str, is_new: bool) -> History:
    """The patient's history; with `is_new` an empty one of somebody unknown."""
    try:
        return history_of(parts.store, practice, patient)
    except Unanswerable:
        if not is_new:
            raise
        return History(practice, patient, [], [])


def merged_into(history: History) -> str | None:
    """The patient in whose record this one ended."""
    event = history.patient().chart.merged
    return event.fact.into if event and isinstance(event.fact, PatientMerged) else None


def standing_key(history: History, entry_id: str) -> EventKey | None:
    """The revision of an entry that is in force."""
    entry = history.patient().entries.get(entry_id)
    return entry.effective.key if entry and entry.effective else None


def revision_text(history: History, entry_id: str) -> str:
    """Stands for the revision in force; empty where there is none."""
    return " ".join(standing_key(history, entry_id) or ())


def _attempt(parts: Parts, ingest: Ingest, wish: Wish) -> tuple[str, ...]:
    history = history_or_empty(parts, wish.practice, wish.patient, wish.is_new)
    if _is_stored(wish, history):
        return wish.ids
    for entry_id, revision in wish.revision.items():
        if revision_text(history, entry_id) != revision:
            raise Outdated
    now = parts.clock() // 1_000_000
    said = [_document(wish, number, history, now) for number in range(len(wish.sayings))]
    events = [accepted.event for accepted in _accepted(said)]
    policy = parts.settings.policy_of(wish.practice)
    cautions = [*foreseen(history, events, parts.book, policy), *elsewhere(parts.store, events)]
    if mark_of(cautions) != wish.seen and cautions:
        raise Asks(cautions)
    stream = stream_id(wish.practice, wish.patient)
    take_whole(parts, ingest, said, [stream], versions_of([history]))
    return wish.ids


def _is_stored(wish: Wish, history: History) -> bool:
    """Whether the same was stored before. Raises SavedBefore where something else was."""
    stored = {event.key: _STATE.decode(row.state)["data"] for event, row in _own(wish, history)}
    if not stored:
        return False
    wanted = {
        (SOURCE, id): _data(wish, saying) for id, saying in zip(wish.ids, wish.sayings, strict=True)
    }
    if {key: canonical_json(data) for key, data in stored.items()} != {
        key: canonical_json(data) for key, data in wanted.items()
    }:
        raise SavedBefore
    return True


def _own(wish: Wish, history: History) -> Iterable[tuple[Event, Any]]:
    """What came of this very form, with the rows it is stored in."""
    ids, pairs = set(wish.ids), zip(history.events, history.stored, strict=True)
    return [pair for pair in pairs if pair[0].source == SOURCE and pair[0].id in ids]


def _data(wish: Wish, saying: Saying) -> dict[str, Any]:
    return {**saying.data, "entered_by": wish.by}


def _accepted(said: Sequence[Mapping[str, Any]]) -> list[Accepted]:
    faults = {n: found for n, each in enumerate(said) if (found := faults_of(each))}
    if faults:
        raise Wrong(faults)
    decoded = [decode_document(each) for each in said]
    return [each for each in decoded if isinstance(each, Accepted)]


def _document(wish: Wish, number: int, history: History, now: Instant) -> dict[str, Any]:
    """The event. It is said now, and after what was said last of the same thing: else it would
    not stand."""
    saying = wish.sayings[number]
    is_same = _alike(saying)
    last = max((event.time for event in history.events if is_same(event.fact)), default=now - 1)
    id, data = wish.ids[number], _data(wish, saying)
    at = max(now, last + 1)
    return document(id, saying.type, wish.practice, wish.patient, at, data)


def _alike(saying: Saying) -> Callable[[Fact], bool]:
    """Whether a fact is one whose order with this saying decides which of them stands."""
    kind = FACT_OF_TYPE[saying.type]
    group = next((group for group in _IN_ORDER if kind in group), ())
    entry_id = saying.data.get("entry_id")
    return lambda fact: isinstance(fact, group) and getattr(fact, "entry_id", None) == entry_id
