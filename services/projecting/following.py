"""How a projection follows the log: batch by batch, each in one transaction with its place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from domain.alerts import Occasion, Standing, Transition, Watched, transitions
from domain.event import Event
from domain.facts import Month
from domain.patient import Patient, evolve
from infra.codec import decode_event, split_stream_id
from projections.live import MICROSECONDS
from projections.ports import Batch, PositionPassed, ProjectedRow, Store, StoredEvent, TransitionRow
from projections.projected import place, pointer


@dataclass(slots=True)
class Folded:
    """What a batch of events comes to."""

    rows: list[ProjectedRow] = field(default_factory=list)
    transitions: list[TransitionRow] = field(default_factory=list)


class Projection(Protocol):
    """A fold over the whole log. Deterministic: the same log gives the same rows."""

    @property
    def name(self) -> str:
        """Its name in the store, for ever."""

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its kinds of rows."""

    def fold(self, events: Sequence[StoredEvent], generation: int) -> Folded:
        """What these events, which follow on everything folded before, change."""

    def forget(self) -> None:
        """What was folded last was not written: keep nothing of it."""


def live_generation(store: Store, projection: Projection) -> int:
    return store.tracking(pointer(projection.name)) or 0


def step(
    store: Store,
    projection: Projection,
    generation: int,
    limit: int,
    through: int | None = None,
) -> int:
    """Fold the next events of the log, none beyond `through`; how many there were.

    The live generation also stores alert transitions; a generation in the making stores none:
    they were decided once. Raises PositionPassed when another process was there first.
    """
    feed = place(projection.name, generation)
    at = store.tracking(feed) or 0
    events = store.log(at, limit)
    if through is not None:
        events = [event for event in events if event.position <= through]
    if not events:
        return 0
    live = live_generation(store, projection)
    expected = {feed: at, pointer(projection.name): live}
    try:
        folded = projection.fold(events, generation)
        store.commit(
            Batch(
                projected=folded.rows,
                transitions=folded.transitions if generation == live else [],
                tracking={feed: events[-1].position},
                expected=expected,
            )
        )
    except BaseException as error:
        projection.forget()
        if _moved(store, expected) and isinstance(error, Exception):
            # What was read may have been written by the other one: no fold could be right.
            raise PositionPassed(f"{feed} was moved by another process") from error
        raise
    return len(events)


def _moved(store: Store, expected: Mapping[str, int]) -> bool:
    return any((store.tracking(feed) or 0) != position for feed, position in expected.items())


def decided(
    watched: Watched, standing: Standing | None, wanted: bool, event: Event
) -> Transition | None:
    """What this event makes of one alert, if anything; suppressed where ingest would suppress it.

    Whether a month is long over is asked in UTC: an hour matters nothing after a quarter.
    """
    assert event.recorded_at_us is not None
    found = transitions(
        {} if standing is None else {watched: standing},
        {watched: None} if wanted else {},
        watched.month,
        "UTC",
        Occasion(event.recorded_at_us // MICROSECONDS, event.history),
    )
    return found[0] if found else None


def number_of(month: Month) -> int:
    """A month as a number that orders months."""
    return int(month[:4]) * 100 + int(month[5:])


def month_of_number(number: int) -> Month:
    """The month of a number made by `number_of`."""
    return f"{number // 100:04d}-{number % 100:02d}"


class FollowedPatients:
    """Patients as of the projection's place in the log. The longest unheard of leave first."""

    def __init__(self, store: Store, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._patients: OrderedDict[str, Patient] = OrderedDict()

    def fetch(self, events: Sequence[StoredEvent]) -> dict[str, Patient]:
        """The patients of these events, each as it was before its first one here."""
        first: dict[str, int] = {}
        for event in events:
            first.setdefault(event.stream_id, event.version)
        stale = [s for s, version in first.items() if self._version(s) != version - 1]
        known = [s for s in stale if first[s] > 1]
        for stream_id in stale:
            self._patients[stream_id] = Patient(*split_stream_id(stream_id))
        for stream_id, stream in self._store.load(known).items() if known else ():
            for stored in stream.events[: first[stream_id] - 1]:
                evolve(self._patients[stream_id], decode_event(stored))
        for stream_id in first:
            self._patients.move_to_end(stream_id)
        found = {stream_id: self._patients[stream_id] for stream_id in first}
        while len(self._patients) > max(self._limit, len(first)):
            self._patients.popitem(last=False)
        return found

    def _version(self, stream_id: str) -> int:
        known = self._patients.get(stream_id)
        return -1 if known is None else known.version

    def forget(self) -> None:
        self._patients.clear()
