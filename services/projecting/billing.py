"""`conflict.detected` between practices of one operator: both bill one person's month.

Kept in the store: who bills which month of which person. Kept in memory: the patients of
configured practices heard of last. Where no operator is configured nothing is folded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from domain.alerts import BILLED_IN_OPERATOR, AlertType, Standing, Watched, alert_id
from domain.assess import reckon
from domain.event import Event
from domain.facts import Month
from domain.patient import evolve, months_touched
from domain.policy import Policy
from domain.rules import RuleBook
from infra.answers import transition_row
from infra.codec import decode_event, split_stream_id
from projections.operators import Operators, Person, doubly_billed, is_billed
from projections.ports import ProjectedRow, Store, StoredEvent, TransitionRow
from projections.projected import Projected, Stretch
from services.projecting.following import (
    Folded,
    FollowedPatients,
    decided,
    month_of_number,
    number_of,
)

NAME: Final = "operator-billing"
BILLED: Final = "operator-billing.billed"
PATIENTS_MAX: Final = 10_000

_encode = msgspec.json.encode
_PERSON = msgspec.json.Decoder(tuple[str, str])

PersonMonth = tuple[Person, Month]


class _Told(msgspec.Struct, frozen=True, gc=False):
    """One event's word on a patient's month."""

    event: Event
    stream_id: str
    version: int
    person: Person
    month: Month
    billed: bool


class OperatorBilling:
    """The projection; see `services.projecting.following.Projection`."""

    name = NAME
    tables = (BILLED,)

    def __init__(
        self,
        store: Store,
        projected: Projected,
        operators: Operators,
        book: RuleBook,
        policy_of: Callable[[str], Policy],
        patients_max: int = PATIENTS_MAX,
    ) -> None:
        self._projected = projected
        self._operators = operators
        self._book = book
        self._policy_of = policy_of
        self._patients = FollowedPatients(store, patients_max)

    def forget(self) -> None:
        self._patients.forget()

    def fold(self, events: Sequence[StoredEvent], generation: int) -> Folded:
        told = self._told([event for event in events if self._person(event.stream_id)])
        if not told:
            return Folded()
        before = self._billed({(t.person, t.month) for t in told}, generation)
        billed = {key: dict(streams) for key, streams in before.items()}
        standing = self._standings(told, billed)
        transitions: list[TransitionRow] = []
        for one in told:
            streams = billed.setdefault((one.person, one.month), {})
            if (one.stream_id in streams) == one.billed:
                continue
            if one.billed:
                streams[one.stream_id] = one.version
            else:
                del streams[one.stream_id]
            transitions += _decided(one, streams, standing)
        return Folded(_rows(before, billed, generation), transitions)

    def _person(self, stream_id: str) -> Person | None:
        return self._operators.person(*split_stream_id(stream_id))

    def _told(self, events: Sequence[StoredEvent]) -> list[_Told]:
        patients = self._patients.fetch(events)
        told = []
        for stored in events:
            event, patient = decode_event(stored), patients[stored.stream_id]
            evolve(patient, event)
            person = self._person(stored.stream_id)
            assert person is not None
            policy = self._policy_of(patient.practice_id)
            for month in sorted(months_touched(patient, event)):
                billed = is_billed(reckon(patient, month, self._book, policy))
                told.append(_Told(event, stored.stream_id, stored.version, person, month, billed))
        return told

    def _billed(self, keys: set[PersonMonth], generation: int) -> dict[PersonMonth, dict[str, int]]:
        """Who bills these months, with the version of each one's stream that made it so."""
        stretches = {Stretch(_part(p), number_of(m), number_of(m)) for p, m in keys}
        found: dict[PersonMonth, dict[str, int]] = {}
        for row in self._projected.rows(BILLED, generation, stretches):
            month = month_of_number(row.at)
            key = (_PERSON.decode(row.part), month)
            found.setdefault(key, {})[row.key] = int(row.body or b"0")
        return found

    def _standings(
        self, told: Sequence[_Told], billed: dict[PersonMonth, dict[str, int]]
    ) -> dict[tuple[str, Month], Standing]:
        concerned = {(t.stream_id, t.month) for t in told}
        concerned |= {(s, month) for (_, month), streams in billed.items() for s in streams}
        ids = {_identity(*one): one for one in concerned}
        found = self._projected.standings({(s, identity) for identity, (s, _) in ids.items()})
        return {
            ids[identity]: Standing(state.transition, state.raised, state.silent)
            for identity, state in found.items()
        }


def billed_by(rows: Iterable[ProjectedRow], month: Month) -> dict[Person, set[str]]:
    """Of rows of `BILLED`: the streams that bill the month, by person."""
    found: dict[Person, set[str]] = {}
    for row in rows:
        if row.at == number_of(month):
            found.setdefault(_PERSON.decode(row.part), set()).add(row.key)
    return found


def _decided(
    told: _Told, streams: dict[str, int], standing: dict[tuple[str, Month], Standing]
) -> list[TransitionRow]:
    """The transitions that one change among those who bill the month causes."""
    practices = {stream_id: split_stream_id(stream_id)[0] for stream_id in streams}
    wanted = doubly_billed(practices)
    assert told.event.recorded_at_us is not None
    found = []
    for stream_id in sorted({*streams, told.stream_id}):
        key = (stream_id, told.month)
        watched = Watched(told.month, AlertType.CONFLICT_DETECTED, BILLED_IN_OPERATOR, 0)
        transition = decided(watched, standing.get(key), stream_id in wanted, told.event)
        if transition is None:
            continue
        standing[key] = transition.standing
        version = told.version if stream_id == told.stream_id else streams[stream_id]
        found.append(
            transition_row(
                stream_id,
                *split_stream_id(stream_id),
                transition,
                told.event.key,
                version,
                told.event.recorded_at_us,
            )
        )
    return found


def _rows(
    before: dict[PersonMonth, dict[str, int]],
    after: dict[PersonMonth, dict[str, int]],
    generation: int,
) -> list[ProjectedRow]:
    rows = []
    for key, streams in after.items():
        known = before.get(key, {})
        for stream_id in streams.keys() | known.keys():
            version = streams.get(stream_id)
            if version != known.get(stream_id):
                body = None if version is None else b"%d" % version
                part, at = _part(key[0]), number_of(key[1])
                rows.append(ProjectedRow(BILLED, generation, part, at, stream_id, body))
    return rows


def _identity(stream_id: str, month: Month) -> str:
    watched = Watched(month, AlertType.CONFLICT_DETECTED, BILLED_IN_OPERATOR, 0)
    return alert_id(*split_stream_id(stream_id), watched)


def _part(person: Person) -> str:
    return _encode(person).decode()
