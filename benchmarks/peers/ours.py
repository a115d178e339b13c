"""The product itself, as `caretally ingest` takes a file: one process, or one of several."""

from __future__ import annotations

import json
from collections.abc import Callable

from benchmarks.peers.harness import Feed, Result, Task, play
from domain.policy import Policy
from domain.rules import BOOK
from infra.clock import system_clock
from infra.eventstore import open_store
from projections.ports import Store
from services.bootstrap import calm_collector, stop_collector
from services.doors.files import ingest_file
from services.doors.shares import Share
from services.ingest import Delivery, Ingest

BATCH = 4_000
"""At most so many of those that come one by one; a file is taken as the command takes it."""
PAGE = 10_000


def prepare(task: Task) -> Callable[[Feed], None]:
    store = open_store(task.database)
    policy = Policy()
    ingest = Ingest(store, system_clock, BOOK, lambda _: policy)
    calm_collector() if task.rate else stop_collector()

    def work(feed: Feed) -> None:
        if task.rate is None:
            share = Share(task.part, task.parts)
            outcome = ingest_file(ingest, store, task.file, share=share)
            assert not outcome.dead_lettered, f"{outcome.dead_lettered} lines were refused"
        else:
            _as_they_come(ingest, feed)
        store.close()

    return work


def _as_they_come(ingest: Ingest, feed: Feed) -> None:
    """What any door does: take what is there."""
    place = 0
    while lines := feed.take(BATCH):
        place += len(lines)
        ingest.take([Delivery(line, None, (), "bench") for line in lines], {"bench": place})
        feed.stored(place)


def read_back(task: Task) -> Result:
    store = open_store(task.database)
    return {"months": [*_months(store)], "transitions": [*_transitions(store)]}


def _months(store: Store):
    for line in store.assessments():
        answer = json.loads(line)
        units = sum(one["units"] for one in answer["codes"])
        if seconds := answer["seconds"]["pooled"]:
            yield answer["patient_id"], answer["month"], seconds, units


def _transitions(store: Store):
    after = 0
    while page := store.transitions(after, PAGE):
        after = page[-1].position
        for body in (json.loads(row.body) for row in page):
            if body["type"] == "threshold.reached":
                unit = body["unit"] if body["code"] == "99490" else body["unit"] + 1
                raised, cause = body["state"] == "raised", body["cause"]["id"]
                yield body["patient_id"], body["month"], unit, raised, cause


if __name__ == "__main__":
    play(prepare, read_back)
