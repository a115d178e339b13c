"""The peer: the same job written the way the `eventsourcing` library's documentation shows it.

An `Application` on SQLite with default settings, an `Aggregate` whose `@event` methods change it,
one `repository.get` and one `save` an event, and a projection that updates a small table in its
own transaction together with its tracking position. The documentation's `ProjectionRunner`
cannot subscribe on SQLite, so `main` hands each recorded event to the projection, one call each.

The job is smaller than the product's: seconds and staff units by patient and month. No reasons,
no prerequisites, no alerts, no checks of the input. The workload's charts are complete, so both
sides must come to the same seconds and units, and `benchmarks.ingest` checks that they do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder
from eventsourcing.utils import Environment

MonthTotals = dict[tuple[str, str], tuple[int, int, int]]
"""(patient, month) to (seconds, units of 99490, units of 99439)."""


class PatientAggregate(Aggregate):
    """One patient: what was heard of, the standing time entries, and the months' sums."""

    class TimeLogged(Aggregate.Event):
        event_id: str
        entry_id: str
        time: str
        month: str
        seconds: int
        total: int

    @event("Registered")
    def __init__(self, patient_id: str) -> None:
        self.patient_id = patient_id
        self.timezone = "UTC"
        self.seen: set[str] = set()
        self.facts: list[dict[str, Any]] = []
        self.entries: dict[str, tuple[str, str, int]] = {}
        self.seconds: dict[str, int] = {}

    @staticmethod
    def create_id(patient_id: str) -> UUID:
        return uuid5(NAMESPACE_URL, f"/patients/{patient_id}")

    @event("Enrolled")
    def enrol(self, event_id: str, timezone: str) -> None:
        self.seen.add(event_id)
        self.timezone = timezone

    @event("FactRecorded")
    def record_fact(self, event_id: str, type: str, data: dict[str, Any]) -> None:
        self.seen.add(event_id)
        self.facts.append({"type": type, "data": data})

    def log_time(self, event_id: str, time: str, entry_id: str, month: str, seconds: int) -> None:
        """An entry, an amendment or (with 0 seconds) a void; the one said last stands."""
        standing = self.entries.get(entry_id)
        month = month or (standing[1] if standing else "")
        if standing is not None and standing[0] > time:
            time, month, seconds = standing[0], standing[1] or month, standing[2]
        total = self.seconds.get(month, 0) + seconds - (standing[2] if standing else 0)
        self._log_time(event_id, entry_id, time, month, seconds, total)

    @event(TimeLogged)
    def _log_time(
        self, event_id: str, entry_id: str, time: str, month: str, seconds: int, total: int
    ) -> None:
        self.seen.add(event_id)
        self.entries[entry_id] = (time, month, seconds)
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
        if message["type"] == "patient.enrolled.v1":
            patient.enrol(event_id, data["timezone"])
        elif message["type"] == "time.voided.v1":
            patient.log_time(event_id, message["time"], data["entry_id"], "", 0)
        elif message["type"].startswith("time."):
            start = datetime.fromisoformat(data["started_at"])
            seconds = int((datetime.fromisoformat(data["ended_at"]) - start).total_seconds())
            month = start.astimezone(ZoneInfo(patient.timezone)).strftime("%Y-%m")
            patient.log_time(event_id, message["time"], data["entry_id"], month, seconds)
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


class MonthView(SQLiteTrackingRecorder):
    """The projection's table beside its tracking position."""

    def __init__(self, datastore: SQLiteDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.create_table_statements.append(
            "CREATE TABLE IF NOT EXISTS months (patient TEXT, month TEXT, seconds INTEGER, "
            "units_99490 INTEGER, units_99439 INTEGER, PRIMARY KEY (patient, month))"
        )

    def set_month(self, patient: str, month: str, seconds: int, tracking: Tracking) -> None:
        first = 1 if seconds >= 1200 else 0
        further = min(2, seconds // 1200 - 1) if first else 0
        with self.datastore.transaction(commit=True) as c:
            self._insert_tracking(c, tracking)
            c.execute(
                "INSERT OR REPLACE INTO months VALUES (?, ?, ?, ?, ?)",
                (patient, month, seconds, first, further),
            )

    def skip(self, tracking: Tracking) -> None:
        with self.datastore.transaction(commit=True) as c:
            self._insert_tracking(c, tracking)

    def months(self) -> MonthTotals:
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT * FROM months")
            rows = c.fetchall()
        return {(row[0], row[1]): (row[2], row[3], row[4]) for row in rows}


def process_event(view: MonthView, domain_event: Any, tracking: Tracking) -> None:
    """The projection: one event, one transaction."""
    if isinstance(domain_event, PatientAggregate.TimeLogged) and domain_event.month:
        patient = str(domain_event.originator_id)
        view.set_month(patient, domain_event.month, domain_event.total, tracking)
    else:
        view.skip(tracking)


def open_application(folder: Path) -> tuple[CareApplication, MonthView]:
    """The application and its view on two database files in `folder`."""
    module = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
    application = CareApplication(env=module | {"SQLITE_DBNAME": str(folder / "events.db")})
    env = Environment("MonthView", module | {"SQLITE_DBNAME": str(folder / "view.db")})
    view = InfrastructureFactory.construct(env).tracking_recorder(MonthView)
    assert isinstance(view, MonthView)
    return application, view


def ingest(application: CareApplication, view: MonthView, lines: Iterable[bytes]) -> None:
    """The whole job, one message after the other."""
    for line in lines:
        for domain_event, tracking in application.take(line):
            process_event(view, domain_event, tracking)


def totals(view: MonthView, patient_ids: Iterable[str]) -> MonthTotals:
    """The view by patient id instead of aggregate id; months without any seconds left out."""
    names = {str(PatientAggregate.create_id(patient)): patient for patient in patient_ids}
    months = view.months().items()
    return {(names[key[0]], key[1]): total for key, total in months if total[0] > 0}
