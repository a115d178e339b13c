"""The aggregate and the application of `documented_eventsourcing`, as the documentation has them.

An amendment is taken to stay in its entry's month, as this workload's do.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import Tracking

from benchmarks.peers.plain import work_of


class PatientAggregate(Aggregate):
    """One patient: what was heard of, the standing time entries, and the months' sums."""

    class TimeLogged(Aggregate.Event):
        patient: str
        event_id: str
        entry_id: str
        said: str
        month: str
        seconds: int
        before: int
        total: int

    @event("Registered")
    def __init__(self, patient_id: str) -> None:
        self.patient_id = patient_id
        self.seen: set[str] = set()
        self.facts: list[dict[str, Any]] = []
        self.entries: dict[str, tuple[str, str, int]] = {}
        self.seconds: dict[str, int] = {}

    @staticmethod
    def create_id(patient_id: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"/patients/{patient_id}")

    @event("FactRecorded")
    def record_fact(self, event_id: str, type: str, data: dict[str, Any]) -> None:
        self.seen.add(event_id)
        self.facts.append({"type": type, "data": data})

    def log_time(self, event_id: str, said: str, entry_id: str, month: str, seconds: int) -> None:
        """An entry, an amendment or (with 0 seconds) a void; the one said last stands."""
        standing = self.entries.get(entry_id)
        month = month or (standing[1] if standing else "")
        if standing is not None and standing[0] > said:
            said, month, seconds = standing[0], standing[1] or month, standing[2]
        before = self.seconds.get(month, 0)
        total = before + seconds - (standing[2] if standing else 0)
        self._log_time(self.patient_id, event_id, entry_id, said, month, seconds, before, total)

    @event(TimeLogged)
    def _log_time(
        self,
        patient: str,  # noqa: ARG002
        event_id: str,
        entry_id: str,
        said: str,
        month: str,
        seconds: int,
        before: int,  # noqa: ARG002
        total: int,
    ) -> None:
        self.seen.add(event_id)
        self.entries[entry_id] = (said, month, seconds)
        self.seconds[month] = total


class CareApplication(Application[UUID]):
    """Takes one message at a time."""

    def take(self, line: bytes) -> list[tuple[Any, Tracking]]:
        """Store one message; returns what was recorded, nothing for a duplicate."""
        message = json.loads(line)
        patient = self._patient(message["subject"])
        event_id, data = f"{message['source']} {message['id']}", message["data"]
        if event_id in patient.seen:
            return []
        if message["type"].startswith("time."):
            said = f"{message['time']} {event_id}"
            patient.log_time(event_id, said, data["entry_id"], *work_of(data))
        else:
            patient.record_fact(event_id, message["type"], data)
        return [
            (recording.domain_event, Tracking(self.name, int(recording.notification.id)))
            for recording in self.save(patient)
        ]

    def _patient(self, patient_id: str) -> PatientAggregate:
        try:
            found: PatientAggregate = self.repository.get(PatientAggregate.create_id(patient_id))
        except AggregateNotFoundError:
            return PatientAggregate(patient_id)
        return found
