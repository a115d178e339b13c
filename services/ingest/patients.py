"""Hot patients, kept by stream and thrown away when a transaction failed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from domain.alerts import AlertType, Standing, Watched
from domain.patient import Patient, evolve
from infra.codec import decode_event, link, split_stream_id
from projections.live import LivePatient
from projections.ports import AlertState, Store, StoredStream


class HotPatient:
    """A live patient with the hash that its next event links to."""

    __slots__ = ("live", "previous")

    def __init__(self, live: LivePatient, previous: bytes | None) -> None:
        self.live = live
        self.previous = previous


class HotPatients:
    """The least recently used patients leave first; the store knows them all."""

    def __init__(self, store: Store, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._hot: OrderedDict[str, HotPatient] = OrderedDict()

    def fetch(self, stream_ids: Iterable[str]) -> dict[str, HotPatient]:
        """These patients, the missing ones loaded with one call."""
        wanted = list(dict.fromkeys(stream_ids))
        missing = [stream_id for stream_id in wanted if stream_id not in self._hot]
        if missing:
            for stream_id, stream in self._store.load(missing).items():
                self._hot[stream_id] = _revive(stream)
        for stream_id in wanted:
            self._hot.move_to_end(stream_id)
        found = {stream_id: self._hot[stream_id] for stream_id in wanted}
        while len(self._hot) > max(self._limit, len(wanted)):
            self._hot.popitem(last=False)
        return found

    def forget(self, stream_ids: Iterable[str]) -> None:
        """These were folded ahead of a transaction that failed."""
        for stream_id in stream_ids:
            self._hot.pop(stream_id, None)


def _revive(stream: StoredStream) -> HotPatient:
    practice_id, patient_id = split_stream_id(stream.stream_id)
    patient = Patient(practice_id, patient_id)
    previous: bytes | None = None
    for stored in stream.events:
        evolve(patient, decode_event(stored))
    if stream.events:
        last = stream.events[-1]
        previous = link(last.stream_id, last.version, last.name, last.state)
    return HotPatient(LivePatient(patient, map(_standing, stream.alerts)), previous)


def _standing(state: AlertState) -> tuple[Watched, Standing]:
    watched = Watched(state.month, AlertType(state.type), state.code, state.unit)
    return watched, Standing(state.transition, state.raised)
