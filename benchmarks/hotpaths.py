"""The five hot paths over inputs made beforehand, and the loop that they are measured by.

Each path is a function that takes its inputs and does its work once; the inputs are made anew for
each run, because a fold changes what it is given.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.workload import lines
from domain.assess import answer, reckon
from domain.event import Event
from domain.patient import Accepted, Patient, decide, evolve
from domain.policy import Policy
from domain.rules import BOOK
from infra.codec import (
    decode_history,
    encode_state,
    event_key,
    link,
    split_stream_id,
    stream_id,
)
from infra.eventstore import open_store
from projections.live import LivePatient
from projections.ports import Batch, Store, StoredEvent
from services.wire.decode import Accepted as Decoded
from services.wire.decode import decode_message

RECORDED_AT_US = 1_745_000_000_000_000
MONTHS = ("2025-01", "2025-02", "2025-03")
POLICY = Policy()
LOOPS = 4_000

Work = Callable[[], object]


class Inputs:
    """What a workload of so many lines becomes at each stage; all work is on these patients."""

    def __init__(self, events: int, folder: Path, seed: int) -> None:
        self._folder = folder
        self.lines = [line.rstrip() for line in lines(events, seed)]
        self.decoded = [one for one in map(_decoded, self.lines) if one is not None]
        self.events = _without_duplicates(one.event for one in self.decoded)
        self.log = list(self._log())

    def decode(self) -> Work:
        return lambda: [decode_message(line, ()) for line in self.lines]

    def fold(self) -> Work:
        """`decide` and `evolve`, duplicates among the events."""
        events = [one.event for one in self.decoded]
        patients = self._patients()
        return lambda: [_folded(patients[event.patient_id], event) for event in events]

    def assess(self) -> Work:
        """Every month reckoned anew and answered in full."""
        patients = self._patients()
        for event in self.events:
            evolve(patients[event.patient_id], event)
        return lambda: [_assessed(patient) for patient in patients.values()]

    def append(self) -> Work:
        """Envelopes, hash links and rows, into a SQLite file, a transaction for 250 events."""
        store = open_store(f"sqlite:///{tempfile.mkdtemp(dir=self._folder)}/log.db")
        return lambda: self._append(store)

    def replay(self) -> Work:
        """The stored log decoded and folded, alert transitions decided event by event."""
        return lambda: _replayed(self.log)

    def _patients(self) -> dict[str, Patient]:
        return {
            event.patient_id: Patient(event.practice_id, event.patient_id) for event in self.events
        }

    def _append(self, store: Store) -> None:
        log = list(self._log())
        for at in range(0, len(log), 250):
            part = log[at : at + 250]
            store.commit(Batch(events=part, versions={one.stream_id: one.version for one in part}))

    def _log(self) -> Iterable[StoredEvent]:
        ends: dict[str, tuple[int, bytes | None]] = {}
        seen: set[tuple[str, str]] = set()
        for one in self.decoded:
            event = one.event
            if event.key in seen:
                continue
            seen.add(event.key)
            stream = stream_id(event.practice_id, event.patient_id)
            version, previous = ends.get(stream, (0, None))
            state = encode_state(
                source=event.source,
                id=event.id,
                time_text=one.time_text,
                recorded_at_us=RECORDED_AT_US,
                previous=previous,
                data=one.data,
            )
            ends[stream] = (version + 1, link(stream, version + 1, one.name, state))
            key = event_key(event.source, event.id)
            yield StoredEvent(stream, version + 1, one.name, state, key)


PATHS: dict[str, Callable[[Inputs], Work]] = {
    "decode": Inputs.decode,
    "decide and evolve": Inputs.fold,
    "assess": Inputs.assess,
    "encode and append": Inputs.append,
    "replay fold": Inputs.replay,
}


def calibration() -> Work:
    """What the paths are made of, in small: calls, attributes, dicts, texts, JSON."""
    line = b'{"a":"2025-01-02T03:04:05Z","b":[1,2,3],"c":{"d":"e"}}'

    def work() -> int:
        counts: dict[str, int] = {}
        for number in range(LOOPS):
            said = json.loads(line)
            key = f"{said['a'][:7]} {number % 97}"
            counts[key] = counts.get(key, 0) + len(said["b"])
        return sum(sorted(counts.values()))

    return work


def _decoded(line: bytes) -> Decoded | None:
    decoded = decode_message(line, ())
    return decoded if isinstance(decoded, Decoded) else None


def _without_duplicates(events: Iterable[Event]) -> list[Event]:
    return list({event.key: event for event in events}.values())


def _folded(patient: Patient, event: Event) -> None:
    if isinstance(decide(patient, event), Accepted):
        evolve(patient, event)


def _assessed(patient: Patient) -> None:
    patient.forget_chart()
    for month in MONTHS:
        answer(patient, reckon(patient, month, BOOK, POLICY), BOOK)


def _replayed(log: list[StoredEvent]) -> None:
    histories: dict[str, list[StoredEvent]] = {}
    for stored in log:
        histories.setdefault(stored.stream_id, []).append(stored)
    for stream, history in histories.items():
        live = LivePatient(Patient(*split_stream_id(stream)))
        for event in decode_history(stream, history):
            live.take(event, RECORDED_AT_US, BOOK, POLICY)
