"""What one would write by hand: a script over a SQLite file, a thousand lines a transaction.

Dedupe, append, project, alert and place in the file in one transaction, each synced to disk. The
patients are also held in memory and folded again from the log when the script starts: quick, and
good for as many patients as fit. No checks of the input, no prerequisites, no reasons.
"""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from itertools import chain

from benchmarks.peers.harness import Feed, Result, Task, play
from benchmarks.peers.plain import PlainPatient, units_of

BATCH = 1_000
TABLES = """
CREATE TABLE IF NOT EXISTS events (
  number INTEGER PRIMARY KEY, source TEXT, id TEXT, patient TEXT, body BLOB, UNIQUE (source, id));
CREATE TABLE IF NOT EXISTS months (
  patient TEXT, month TEXT, seconds INTEGER, units INTEGER,
  PRIMARY KEY (patient, month)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS transitions (
  number INTEGER PRIMARY KEY, patient TEXT, month TEXT, unit INTEGER, raised INTEGER, cause TEXT);
CREATE TABLE IF NOT EXISTS place (name TEXT PRIMARY KEY, lines INTEGER);
"""


class Script:
    """The connection, and the patients as the log has them."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + TABLES)
        self.patients: defaultdict[str, PlainPatient] = defaultdict(PlainPatient)
        for patient, body in self.db.execute("SELECT patient, body FROM events ORDER BY number"):
            self.patients[patient].take(json.loads(body))

    def take(self, lines: list[bytes], place: int) -> None:
        """One batch, durable on return."""
        events, transitions, touched = [], [], set()
        for line in lines:
            message = json.loads(line)
            patient = message["subject"]
            changes = self.patients[patient].take(message)
            if changes is None:
                continue
            events.append((message["source"], message["id"], patient, line))
            touched.add(patient)
            transitions += [(patient, *change, message["id"]) for change in changes]
        months = chain.from_iterable(self._months(patient) for patient in touched)
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany("INSERT INTO events VALUES (NULL, ?, ?, ?, ?)", events)
        self.db.executemany("INSERT OR REPLACE INTO months VALUES (?, ?, ?, ?)", months)
        self.db.executemany("INSERT INTO transitions VALUES (NULL, ?, ?, ?, ?, ?)", transitions)
        self.db.execute("INSERT OR REPLACE INTO place VALUES ('file', ?)", [place])
        self.db.execute("COMMIT")

    def _months(self, patient: str) -> list[tuple[str, str, int, int]]:
        seconds = self.patients[patient].seconds.items()
        return [(patient, month, sum, units_of(sum)) for month, sum in seconds if month]


def prepare(task: Task) -> Callable[[Feed], None]:
    script = Script(str(task.folder / "script.db"))

    def work(feed: Feed) -> None:
        place = 0
        while lines := feed.take(BATCH):
            place += len(lines)
            script.take(lines, place)
            feed.stored(place)
        script.db.close()

    return work


def read_back(task: Task) -> Result:
    db = sqlite3.connect(task.folder / "script.db")
    transitions = db.execute(
        "SELECT patient, month, unit, raised, cause FROM transitions ORDER BY number"
    )
    return {
        "months": db.execute("SELECT * FROM months WHERE seconds > 0").fetchall(),
        "transitions": [(p, m, u, bool(raised), c) for p, m, u, raised, c in transitions],
    }


if __name__ == "__main__":
    play(prepare, read_back)
