"""The ceiling: a dict in memory, nothing kept. With `msgspec` as option, with the quickest decoder.

Nothing outlives the process, so what is read back is its own memory.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable

from benchmarks.peers.harness import Feed, Result, Task, play
from benchmarks.peers.plain import PlainPatient, units_of

BATCH = 1_000

patients: defaultdict[str, PlainPatient] = defaultdict(PlainPatient)
transitions: list[tuple[str, str, int, bool, str]] = []


def prepare(task: Task) -> Callable[[Feed], None]:
    decode = json.loads
    if "msgspec" in task.options:
        import msgspec

        decode = msgspec.json.Decoder().decode

    def work(feed: Feed) -> None:
        count = 0
        while lines := feed.take(BATCH):
            for line in lines:
                message = decode(line)
                patient = message["subject"]
                for change in patients[patient].take(message) or ():
                    transitions.append((patient, *change, message["id"]))
            count += len(lines)
            feed.stored(count)

    return work


def read_back(_: Task) -> Result:
    months = [
        (name, month, seconds, units_of(seconds))
        for name, patient in patients.items()
        for month, seconds in patient.seconds.items()
        if seconds
    ]
    return {"months": months, "transitions": transitions}


if __name__ == "__main__":
    play(prepare, read_back)
