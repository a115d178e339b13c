"""pathway with persistence: incremental tables, results written as a stream of changes.

Input and state are kept by pathway's file-system backend. Transitions come from what it says of
the months' units: one a commit of its engine, not one an event.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pathway as pw

from benchmarks.peers.harness import Feed, Result, Task, play
from benchmarks.peers.plain import units_of, work_of

BATCH = 1_000
COMMIT_MS = 100


class Said(pw.Schema):
    key: str
    id: str
    patient: str
    entry: str
    said: str
    month: str
    seconds: int


class Lines(pw.io.python.ConnectorSubject):
    """The feed as rows; what is no entry is left out."""

    def __init__(self, feed: Feed) -> None:
        super().__init__()
        self._feed = feed

    def run(self) -> None:
        while lines := self._feed.take(BATCH):
            for message in map(json.loads, lines):
                if "entry_id" in message["data"]:
                    self.next(**_row(message))
            if self._feed.rate is not None:
                self.commit()

    @property
    def _deletions_enabled(self) -> bool:
        return False


def _row(message: dict[str, Any]) -> dict[str, Any]:
    month, seconds = work_of(message["data"])
    key = f"{message['source']} {message['id']}"
    return {
        "key": key,
        "id": message["id"],
        "patient": message["subject"],
        "entry": message["data"]["entry_id"],
        "said": f"{message['time']} {key}",
        "month": month,
        "seconds": seconds,
    }


def _last_id(row: dict[str, Any]) -> str:
    return str(row["last"]).rpartition(" ")[2]


def _months(said: pw.Table) -> pw.Table:
    """Duplicates share patient, entry and moment, so that the entry's last word drops them too."""
    entries = said.groupby(said.patient, said.entry).reduce(
        last=pw.reducers.max(
            pw.make_tuple(said.said, said.month, said.seconds, said.id, said.patient)
        )
    )
    flat = entries.select(
        patient=pw.this.last[4],
        month=pw.this.last[1],
        seconds=pw.this.last[2],
        said=pw.this.last[0],
    )
    sums = flat.groupby(flat.patient, flat.month).reduce(
        flat.patient,
        flat.month,
        seconds=pw.reducers.sum(flat.seconds),
        last=pw.reducers.max(flat.said),
    )
    return sums.filter(sums.month != "")


def prepare(task: Task) -> Callable[[Feed], None]:
    backend = pw.persistence.Backend.filesystem(str(task.folder / "kept"))
    config = pw.persistence.Config(backend, snapshot_interval_ms=1_000)

    def work(feed: Feed) -> None:
        said = pw.io.python.read(
            Lines(feed), schema=Said, autocommit_duration_ms=COMMIT_MS, name="lines"
        )
        months = _months(said)
        pw.io.jsonlines.write(months, task.folder / "out.jsonl")
        if feed.rate is not None:
            pw.io.subscribe(months, on_change=lambda **told: feed.seen(_last_id(told["row"])))
        pw.run(persistence_config=config, monitoring_level=pw.MonitoringLevel.NONE)

    return work


def read_back(task: Task) -> Result:
    months: dict[tuple[str, str], int] = {}
    transitions: list[tuple[str, str, int, bool, str]] = []
    rows = [json.loads(line) for line in (task.folder / "out.jsonl").open()]
    moves: dict[tuple[str, str, int], list[int]] = {}
    for row in rows:
        moves.setdefault((row["patient"], row["month"], row["time"]), []).append(row)
    for (patient, month, _), found in moves.items():
        had = units_of(months.get((patient, month), 0))
        added = [row for row in found if row["diff"] > 0]
        seconds = added[0]["seconds"] if added else 0
        months[patient, month] = seconds
        has = units_of(seconds)
        for unit in range(min(had, has) + 1, max(had, has) + 1):
            transitions.append((patient, month, unit, has > had, ""))
    found = [(*key, seconds, units_of(seconds)) for key, seconds in months.items() if seconds]
    return {"months": found, "transitions": transitions}


if __name__ == "__main__":
    play(prepare, read_back)
