"""bytewax with recovery: stateful batches by patient, an epoch a second, a file as sink.

State and places are kept in bytewax's SQLite recovery partitions at the end of each epoch; after a
crash the sink's file is cut back to the last one. What is kept is state, not the events.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import bytewax.operators as op
from bytewax.connectors.files import FileSink
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.operators import StatefulBatchLogic
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.run import cli_main

from benchmarks.peers.harness import Feed, Result, Task, play
from benchmarks.peers.plain import PlainPatient, units_of

BATCH = 1_000
EPOCH = timedelta(seconds=1)


class Lines(StatefulSourcePartition[bytes, int]):
    """The feed; what was read before a crash is skipped."""

    def __init__(self, feed: Feed, resume_at: int | None) -> None:
        self._feed = feed
        self._read = resume_at or 0
        feed.take(self._read)

    def next_batch(self) -> list[bytes]:
        lines = self._feed.take(BATCH, wait=False)
        if not lines and (self._feed.rate is None or self._feed.ended):
            raise StopIteration
        self._read += len(lines)
        return lines

    def snapshot(self) -> int:
        return self._read


class Source(FixedPartitionedSource[bytes, int]):
    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    def list_parts(self) -> list[str]:
        return ["file"]

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Lines:  # noqa: ARG002
        return Lines(self._feed, resume_state)


class OnePatient(StatefulBatchLogic[dict[str, Any], str, Any]):
    """A patient's part of a batch: its transitions, then the months that changed."""

    def __init__(self, kept: Any) -> None:
        self._patient = PlainPatient()
        if kept is not None:
            self._patient.seen, self._patient.entries, self._patient.seconds = kept

    def on_batch(self, values: list[dict[str, Any]]) -> tuple[Iterable[str], bool]:
        patient, found = self._patient, []
        before = dict(patient.seconds)
        for message in values:
            for change in patient.take(message) or ():
                found.append(json.dumps([message["subject"], *change, message["id"]]))
        for month, seconds in patient.seconds.items():
            if month and before.get(month) != seconds:
                last = values[-1]
                row = [last["subject"], month, seconds, units_of(seconds), last["id"], 0]
                found.append(json.dumps(row))
        return found, StatefulBatchLogic.RETAIN

    def snapshot(self) -> Any:
        patient = self._patient
        return patient.seen.copy(), patient.entries.copy(), patient.seconds.copy()


class Watched(FileSink):
    """The file, and word of what was written to it."""

    def __init__(self, path: Path, feed: Feed) -> None:
        super().__init__(path)
        self._feed = feed

    def build_part(self, step_id: str, for_part: str, resume_state: int | None) -> Any:
        part = super().build_part(step_id, for_part, resume_state)
        if self._feed.rate is not None:
            write = part.write_batch
            part.write_batch = lambda values: (write(values), self._tell(values))
        return part

    def _tell(self, values: list[str]) -> None:
        for value in values:
            self._feed.seen(json.loads(value)[4])


def prepare(task: Task) -> Callable[[Feed], None]:
    recovery = task.folder / "recovery"
    recovery.mkdir()
    init_db_dir(recovery, 1)

    def work(feed: Feed) -> None:
        flow = Dataflow("minutes")
        messages = op.map("decode", op.input("file", flow, Source(feed)), json.loads)
        keyed = op.key_on("patient", messages, lambda message: message["subject"])
        rows = op.stateful_batch("fold", keyed, OnePatient)
        op.output("out", rows, Watched(task.folder / "out.jsonl", feed))
        cli_main(flow, epoch_interval=EPOCH, recovery_config=RecoveryConfig(str(recovery)))

    return work


def read_back(task: Task) -> Result:
    rows = [json.loads(line) for line in (task.folder / "out.jsonl").open()]
    months = {(row[0], row[1]): (*row[:4],) for row in rows if len(row) == 6}
    transitions = [(*row,) for row in rows if len(row) == 5]
    return {"months": [row for row in months.values() if row[2]], "transitions": transitions}


if __name__ == "__main__":
    play(prepare, read_back)
