"""Hot patients, kept by stream and thrown away when a transaction failed."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable

from domain.alerts import AlertType, Standing, Watched
from domain.patient import Patient, evolve
from infra.codec import decode_event, link, split_stream_id
from infra.packed_archive import PackedArchive
from infra.snapshots import FORM, DamagedSnapshot, is_due, restore, snapshot
from projections.live import LivePatient
from projections.ports import AlertState, Snapshot, Store, StoredEvent, StoredStream

log = logging.getLogger("caretally.ingest")


class HotPatient:
    """A live patient with what its next event goes by, and its last snapshot."""

    __slots__ = ("_archive", "_kept_version", "live", "previous", "recorded_at_us")

    def __init__(
        self,
        live: LivePatient,
        previous: bytes | None,
        recorded_at_us: int,
        archive: PackedArchive,
        kept_version: int,
    ) -> None:
        """`previous` is the hash that the next event links to, `recorded_at_us` when the last one
        was recorded (0 without any), `kept_version` the version of the last snapshot (the same)."""
        self.live = live
        self.previous = previous
        self.recorded_at_us = recorded_at_us
        self._archive = archive
        self._kept_version = kept_version

    def snapshot_if_due(self, stream_id: str) -> Snapshot | None:
        """The next snapshot, once the history has grown enough. The patient's months are then put
        away: what was packed need not be kept unpacked."""
        patient = self.live.patient
        if self.previous is None or not is_due(patient.version, self._kept_version):
            return None
        taken, self._archive = snapshot(
            stream_id, patient, self._archive, self.previous, self.recorded_at_us
        )
        self._kept_version = taken.version
        return taken


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
            for stream_id, stream in self._store.load(missing, FORM).items():
                self._hot[stream_id] = self._revive(stream)
        for stream_id in wanted:
            self._hot.move_to_end(stream_id)
        found = {stream_id: self._hot[stream_id] for stream_id in wanted}
        while len(self._hot) > max(self._limit, len(wanted)):
            self._hot.popitem(last=False)
        return found

    def peek(self, stream_ids: Iterable[str]) -> dict[str, HotPatient]:
        """These patients for once: the missing ones are loaded and not kept."""
        found = {stream_id: self._hot.get(stream_id) for stream_id in stream_ids}
        missing = [stream_id for stream_id, hot in found.items() if hot is None]
        loaded = self._store.load(missing, FORM) if missing else {}
        return {s: hot or self._revive(loaded[s]) for s, hot in found.items()}

    def patient(self, stream: str) -> HotPatient:
        """This patient, kept like those of `fetch`."""
        return self.fetch([stream])[stream]

    def history(self, stream: str) -> list[StoredEvent]:
        """Every stored event of a patient, in order."""
        return self._store.load([stream])[stream].events

    def forget(self, stream_ids: Iterable[str]) -> None:
        """These were folded ahead of a transaction that failed."""
        for stream_id in stream_ids:
            self._hot.pop(stream_id, None)

    def _revive(self, stream: StoredStream) -> HotPatient:
        try:
            return revive(stream)
        except DamagedSnapshot as damage:
            log.warning("%s: the whole history is read instead", damage)
            return revive(self._store.load([stream.stream_id])[stream.stream_id])


def revive(stream: StoredStream) -> HotPatient:
    """The patient as its snapshot and the events after it make it. Raises DamagedSnapshot."""
    address = split_stream_id(stream.stream_id)
    if stream.snapshot is None:
        patient, archive = Patient(*address), PackedArchive.empty(address)
        previous, recorded, kept_version = None, 0, 0
    else:
        patient, archive, previous, recorded = restore(stream.snapshot)
        kept_version = patient.version
    for stored in stream.events:
        event = decode_event(stored)
        evolve(patient, event)
        recorded = max(recorded, event.recorded_at_us or 0)
    if stream.events:
        last = stream.events[-1]
        previous = link(last.stream_id, last.version, last.name, last.state)
    live = LivePatient(patient, map(_standing, stream.alerts))
    return HotPatient(live, previous, recorded, archive, kept_version)


def _standing(state: AlertState) -> tuple[Watched, Standing]:
    watched = Watched(state.month, AlertType(state.type), state.code, state.unit)
    return watched, Standing(state.transition, state.raised, state.silent)
