"""The peer of the latency measurement, as a process: one event at a time, as the library's
documentation shows it. `python -m benchmarks.latency_peer BOOTSTRAP EVENTS ALERTS GROUP DATABASE`.

On PostgreSQL the library's own `ProjectionRunner` follows the application; it cannot subscribe on
SQLite, where each recorded event is handed on at once. The projection notes the month's sum with
its position in one transaction and sends an alert where a unit is reached.
"""

from __future__ import annotations

import json
import sys
from functools import singledispatchmethod
from typing import Any

from confluent_kafka import Consumer, Producer
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection, ProjectionRunner
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL

from benchmarks.latency_feed import ENTRY_SECONDS
from benchmarks.vanilla_eventsourcing import (
    CareApplication,
    PatientAggregate,
    open_application,
    process_event,
)

UNIT_SECONDS, UNITS_MAX = 1200, 3


class Alerts:
    """Sends one alert for every unit reached."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._topic = topic
        options = {"bootstrap.servers": bootstrap, "acks": "all", "linger.ms": 0}
        self._producer = Producer(options)

    def look(self, event: Any) -> None:
        if not isinstance(event, PatientAggregate.TimeLogged):
            return
        before = min(UNITS_MAX, (event.total - ENTRY_SECONDS) // UNIT_SECONDS)
        if min(UNITS_MAX, event.total // UNIT_SECONDS) > before:
            alert = {"cause": {"id": event.event_id.rpartition(" ")[2]}}
            key = str(event.originator_id).encode()
            self._producer.produce(self._topic, json.dumps(alert).encode(), key=key)
        self._producer.poll(0)


alerts: Alerts


class MonthsInPostgres(PostgresTrackingRecorder):
    """The projection's table beside its tracking position."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sql_create_statements.append(
            SQL(
                "CREATE TABLE IF NOT EXISTS peer_months (patient text, month text, seconds bigint, "
                "PRIMARY KEY (patient, month))"
            )
        )

    def note(self, event: Any, tracking: Any) -> None:
        with self.datastore.transaction(commit=True) as c:
            self._insert_tracking(c, tracking)
            if isinstance(event, PatientAggregate.TimeLogged):
                c.execute(
                    "INSERT INTO peer_months VALUES (%s, %s, %s) ON CONFLICT (patient, month) "
                    "DO UPDATE SET seconds = excluded.seconds",
                    (str(event.originator_id), event.month, event.total),
                )


class Months(Projection[MonthsInPostgres]):
    """The projection that the library's runner drives."""

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Any) -> None:
        self.view.note(domain_event, tracking)
        alerts.look(domain_event)


def consume(bootstrap: str, topic: str, group: str, take: Any) -> None:
    """Hand on one message after the other, for ever; offsets are committed in the background."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "auto.offset.reset": "earliest"}
        | {"auto.commit.interval.ms": 500}
    )
    consumer.subscribe([topic])
    while True:
        found = consumer.poll(1)
        if found is not None and found.error() is None:
            take(found.value())


def main(bootstrap: str, topic: str, alerts_topic: str, group: str, database: str) -> None:
    global alerts
    alerts = Alerts(bootstrap, alerts_topic)
    if database.startswith("postgresql:"):
        given = conninfo_to_dict(database)
        env = {"PERSISTENCE_MODULE": "eventsourcing.postgres"} | {
            f"POSTGRES_{name.upper()}": str(given.get(name) or "x")
            for name in ("dbname", "host", "port", "user", "password")
        }
        env["POSTGRES_PORT"] = str(given.get("port") or 5432)
        with ProjectionRunner(
            application_class=CareApplication,
            projection_class=Months,
            view_class=MonthsInPostgres,
            env=env,
        ) as runner:
            consume(bootstrap, topic, group, runner.app.take)
    else:
        from pathlib import Path

        application, view = open_application(Path(database))

        def take(line: bytes) -> None:
            for event, tracking in application.take(line):
                process_event(view, event, tracking)
                alerts.look(event)

        consume(bootstrap, topic, group, take)


if __name__ == "__main__":
    main(*sys.argv[1:])
