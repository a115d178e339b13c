"""The peer of the latency measurement, as a process: one event at a time, as the library's
documentation shows it. `python -m benchmarks.latency_peer BOOTSTRAP EVENTS ALERTS GROUP DATABASE`.

On PostgreSQL the library's own `ProjectionRunner` follows the application; it cannot subscribe on
SQLite, where each recorded event is handed on at once. The projection notes the month's sum with
its position in one transaction and sends an alert where a unit is reached.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, Producer

from benchmarks.latency_feed import ENTRY_SECONDS
from benchmarks.peers.documented_aggregate import PatientAggregate
from benchmarks.peers.documented_eventsourcing import open_on_postgres, open_on_sqlite

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
    alerts = Alerts(bootstrap, alerts_topic)
    if database.startswith("postgresql:"):
        with open_on_postgres(database, alerts.look) as runner:
            consume(bootstrap, topic, group, runner.app.take)
    application, view = open_on_sqlite(Path(database))

    def take(line: bytes) -> None:
        for event, tracking in application.take(line):
            view.process(event, tracking)
            alerts.look(event)

    consume(bootstrap, topic, group, take)


if __name__ == "__main__":
    main(*sys.argv[1:])
