"""Plain SQL over PostgreSQL: lines are copied into a table, and every second a job catches up.

The job is one transaction: new events without duplicates, entries as they stand, seconds of the
months that this touched, and what changed since the last run. What a unit was between two runs is
never seen, so transitions are one a run. The tables of lines and events are a log of a kind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Thread

import psycopg

from benchmarks.peers.harness import Feed, Result, Task, play

EVERY_SECONDS = 1.0
CHUNK = 5_000

TABLES = """
CREATE TABLE lines (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body jsonb NOT NULL);
CREATE TABLE events (source text, id text, number bigint, PRIMARY KEY (source, id));
CREATE TABLE entries (
  patient text, entry_id text, said_at timestamptz, source text, id text, month text,
  seconds int, PRIMARY KEY (patient, entry_id));
CREATE INDEX ON entries (patient, month);
CREATE TABLE months (
  patient text, month text, seconds int, units int, PRIMARY KEY (patient, month));
CREATE TABLE transitions (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  patient text, month text, unit int, raised boolean);
CREATE TABLE place (number bigint);
INSERT INTO place VALUES (0);
"""

JOB = (
    """
CREATE TEMP TABLE fresh ON COMMIT DROP AS
WITH new AS (
  INSERT INTO events
  SELECT body->>'source', body->>'id', number FROM lines
  WHERE number > (SELECT number FROM place) AND number <= {head}
  ORDER BY number ON CONFLICT DO NOTHING RETURNING number
)
SELECT DISTINCT ON (patient, entry_id)
  body->>'subject' AS patient, body->'data'->>'entry_id' AS entry_id,
  (body->>'time')::timestamptz AS said_at, body->>'source' AS source, body->>'id' AS id,
  left(body->'data'->>'started_at', 7) AS month,
  coalesce(extract(epoch FROM (body->'data'->>'ended_at')::timestamptz
    - (body->'data'->>'started_at')::timestamptz), 0)::int AS seconds
FROM new JOIN lines USING (number) WHERE body->'data' ? 'entry_id'
ORDER BY patient, entry_id, said_at DESC, source DESC, id DESC
""",
    """
CREATE TEMP TABLE touched ON COMMIT DROP AS
SELECT patient, month FROM fresh WHERE month IS NOT NULL
UNION SELECT e.patient, e.month FROM entries e JOIN fresh USING (patient, entry_id)
  WHERE e.month IS NOT NULL
""",
    """
INSERT INTO entries SELECT * FROM fresh
ON CONFLICT (patient, entry_id) DO UPDATE SET said_at = excluded.said_at,
  source = excluded.source, id = excluded.id, month = excluded.month, seconds = excluded.seconds
WHERE (excluded.said_at, excluded.source, excluded.id)
  > (entries.said_at, entries.source, entries.id)
""",
    """
CREATE TEMP TABLE sums ON COMMIT DROP AS
SELECT patient, month, coalesce(sum(seconds), 0)::int AS seconds,
  least(3, coalesce(sum(seconds), 0) / 1200)::int AS units
FROM touched LEFT JOIN entries USING (patient, month) GROUP BY patient, month
""",
    """
INSERT INTO transitions (patient, month, unit, raised)
SELECT patient, month, unit, sums.units > coalesce(months.units, 0)
FROM sums LEFT JOIN months USING (patient, month), LATERAL generate_series(
  least(sums.units, coalesce(months.units, 0)) + 1,
  greatest(sums.units, coalesce(months.units, 0))) AS unit
ORDER BY patient, month, unit
""",
    """
INSERT INTO months SELECT * FROM sums
ON CONFLICT (patient, month) DO UPDATE SET seconds = excluded.seconds, units = excluded.units
""",
    "UPDATE place SET number = {head}",
)


class Timer(Thread):
    """The job, every second until it is told that all lines are there."""

    def __init__(self, database: str, feed: Feed) -> None:
        super().__init__()
        self._db = psycopg.connect(database)
        self._feed = feed
        self.all_there = Event()

    def run(self) -> None:
        last = False
        while not last:
            last = self.all_there.wait(EVERY_SECONDS)
            self._catch_up()

    def _catch_up(self) -> None:
        with self._db.transaction():
            (head,) = self._db.execute("SELECT coalesce(max(number), 0) FROM lines").fetchone()
            for statement in JOB:
                self._db.execute(statement.format(head=head))
        self._feed.stored(head)


def prepare(task: Task) -> Callable[[Feed], None]:
    db = psycopg.connect(task.database, autocommit=True)
    db.execute(TABLES)

    def work(feed: Feed) -> None:
        timer = Timer(task.database, feed)
        timer.start()
        while lines := feed.take(CHUNK):
            with db.cursor() as c, c.copy("COPY lines (body) FROM STDIN") as copy:
                for line in lines:
                    copy.write_row([line.decode()])
        if task.rate is not None:
            time.sleep(EVERY_SECONDS)
        timer.all_there.set()
        timer.join()

    return work


def read_back(task: Task) -> Result:
    with psycopg.connect(task.database) as db:
        months = db.execute("SELECT * FROM months WHERE seconds > 0").fetchall()
        transitions = db.execute(
            "SELECT patient, month, unit, raised, '' FROM transitions ORDER BY number"
        ).fetchall()
    return {"months": months, "transitions": transitions}


if __name__ == "__main__":
    play(prepare, read_back)
