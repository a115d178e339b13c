"""The job written the way the `eventsourcing` library's documentation shows it.

An `Application` with default settings, an `Aggregate` whose `@event` methods change it, one
`repository.get` and one `save` an event, and a projection that updates small tables in its own
transaction together with its tracking position. On PostgreSQL the library's `ProjectionRunner`
follows the application; it cannot subscribe on SQLite, where each recorded event is handed to the
projection at once, one call each.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatchmethod
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from eventsourcing.persistence import InfrastructureFactory, Tracking
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.sqlite import SQLiteDatastore, SQLiteTrackingRecorder
from eventsourcing.utils import Environment

from benchmarks.peers.documented_aggregate import CareApplication, PatientAggregate
from benchmarks.peers.harness import Feed, Result, Task, play
from benchmarks.peers.plain import changes, units_of

CHUNK = 100

TABLES = (
    "CREATE TABLE IF NOT EXISTS months (patient TEXT, month TEXT, seconds INTEGER, "
    "units INTEGER, PRIMARY KEY (patient, month))",
    "CREATE TABLE IF NOT EXISTS transitions (tracking INTEGER, patient TEXT, month TEXT, "
    "unit INTEGER, raised INTEGER, cause TEXT)",
)
SET_MONTH = (
    "INSERT INTO months VALUES (?, ?, ?, ?) ON CONFLICT (patient, month) DO UPDATE SET "
    "seconds = excluded.seconds, units = excluded.units"
)
ADD_TRANSITION = "INSERT INTO transitions VALUES (?, ?, ?, ?, ?, ?)"


def note(execute: Callable[[str, tuple[Any, ...]], Any], event: Any, tracking: Tracking) -> None:
    """What the projection writes of one event."""
    if not isinstance(event, PatientAggregate.TimeLogged) or not event.month:
        return
    had, has = units_of(event.before), units_of(event.total)
    execute(SET_MONTH, (event.patient, event.month, event.total, has))
    for month, unit, raised in changes(event.month, had, has):
        cause = event.event_id.rpartition(" ")[2]
        row = (tracking.notification_id, event.patient, month, unit, int(raised), cause)
        execute(ADD_TRANSITION, row)


class MonthsInSQLite(SQLiteTrackingRecorder):
    """The projection's tables beside its tracking position."""

    def __init__(self, datastore: SQLiteDatastore, **kwargs: Any) -> None:
        super().__init__(datastore, **kwargs)
        self.create_table_statements += TABLES

    def process(self, event: Any, tracking: Tracking) -> None:
        """One event, one transaction."""
        with self.datastore.transaction(commit=True) as c:
            self._insert_tracking(c, tracking)
            note(c.execute, event, tracking)


def open_on_sqlite(folder: Path) -> tuple[CareApplication, MonthsInSQLite]:
    """The application and its view on two database files in `folder`."""
    module = {"PERSISTENCE_MODULE": "eventsourcing.sqlite"}
    application = CareApplication(env=module | {"SQLITE_DBNAME": str(folder / "events.db")})
    env = Environment("MonthView", module | {"SQLITE_DBNAME": str(folder / "view.db")})
    view = InfrastructureFactory.construct(env).tracking_recorder(MonthsInSQLite)
    assert isinstance(view, MonthsInSQLite)
    return application, view


def open_on_postgres(database: str, seen: Callable[[Any], None]) -> ProjectionRunner[Any, Any, Any]:
    """The library's runner over an application; `seen` hears of each event once it is projected."""
    from eventsourcing.postgres import PostgresTrackingRecorder
    from psycopg.sql import SQL

    class MonthsInPostgres(PostgresTrackingRecorder):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.sql_create_statements += map(SQL, TABLES)

        def process(self, event: Any, tracking: Tracking) -> None:
            with self.datastore.transaction(commit=True) as c:
                self._insert_tracking(c, tracking)
                note(lambda sql, row: c.execute(sql.replace("?", "%s"), row), event, tracking)

    class Months(Projection[MonthsInPostgres]):
        @singledispatchmethod
        def process_event(self, domain_event: Any, tracking: Tracking) -> None:
            self.view.process(domain_event, tracking)
            seen(domain_event)

    return ProjectionRunner(
        application_class=CareApplication,
        projection_class=Months,
        view_class=MonthsInPostgres,
        env={"PERSISTENCE_MODULE": "eventsourcing.postgres", **_postgres_settings(database)},
    )


def _postgres_settings(database: str) -> dict[str, str]:
    given = {name: values[0] for name, values in parse_qs(urlsplit(database).query).items()}
    return {
        "POSTGRES_PORT": given.get("port", "5432"),
        "POSTGRES_PASSWORD": given.get("password", "x"),
        **{f"POSTGRES_{name.upper()}": given[name] for name in ("dbname", "host", "user")},
    }


def prepare(task: Task) -> Callable[[Feed], None]:
    return _on_postgres(task) if task.database else _on_sqlite(task)


def _on_sqlite(task: Task) -> Callable[[Feed], None]:
    application, view = open_on_sqlite(task.folder)

    def work(feed: Feed) -> None:
        place = 0
        while lines := feed.take(CHUNK):
            for line in lines:
                for recorded, tracking in application.take(line):
                    view.process(recorded, tracking)
                place += 1
                feed.stored(place)
        application.close()
        view.datastore.close()

    return work


def _on_postgres(task: Task) -> Callable[[Feed], None]:
    feeds: list[Feed] = []

    def seen(event: Any) -> None:
        if isinstance(event, PatientAggregate.TimeLogged):
            feeds[0].seen(event.event_id.rpartition(" ")[2])

    runner = open_on_postgres(task.database, seen)

    def work(feed: Feed) -> None:
        feeds.append(feed)
        last = None
        while lines := feed.take(CHUNK):
            for line in lines:
                for _, tracking in runner.app.take(line):
                    last = tracking.notification_id
        runner.wait(last, timeout=3_600)
        runner.stop()

    return work


def read_back(task: Task) -> Result:
    if task.database:
        import psycopg

        db: Any = psycopg.connect(task.database)
    else:
        import sqlite3

        db = sqlite3.connect(task.folder / "view.db")
    months = db.execute("SELECT * FROM months WHERE seconds > 0").fetchall()
    rows = db.execute(
        "SELECT patient, month, unit, raised, cause FROM transitions ORDER BY tracking"
    )
    transitions = [(p, m, unit, bool(raised), cause) for p, m, unit, raised, cause in rows]
    return {"months": months, "transitions": transitions}


if __name__ == "__main__":
    play(prepare, read_back)
