"""The product's Kafka door into SQLite. The messages lie in the topic before the clock starts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from threading import Thread

from confluent_kafka import Producer

from benchmarks.peers import ours
from benchmarks.peers.harness import Feed, Result, Task, play, say
from infra.settings import Settings
from services.bootstrap import calm_collector, composed
from services.doors.kafka import KafkaDoor
from services.ingest import Delivery, Ingest, Judge

CHUNK = 1_000


class Counted:
    """The ingest core; says when all messages are taken, and which are."""

    def __init__(self, ingest: Ingest, feed: Feed, count: int, done: Callable[[], None]) -> None:
        self._ingest, self._feed, self._left, self._done = ingest, feed, count, done
        self._began = False

    def take(
        self, deliveries: Sequence[Delivery], tracking: Mapping[str, int], *, judge: Judge
    ) -> object:
        if not self._began:
            self._began = True
            say("began")
        outcome = self._ingest.take(deliveries, tracking, judge=judge)
        if self._feed.rate is not None:
            for one in deliveries:
                self._feed.seen(json.loads(one.value or b"{}")["id"])
        self._left -= len(deliveries)
        if self._left <= 0:
            self._done()
        return outcome


def prepare(task: Task) -> Callable[[Feed], None]:
    settings = Settings(
        database=task.database,
        kafka=task.kafka,
        kafka_events_topic=task.options[0],
        kafka_group_id=f"group-{task.options[0]}",
    )
    count = sum(1 for _ in task.file.open("rb"))
    if task.rate is None:
        _send(task, Feed(task.file))
    calm_collector()

    def work(feed: Feed) -> None:
        if feed.rate is not None:
            Thread(target=_send, args=(task, feed)).start()
        asyncio.run(_consume(settings, feed, count))

    return work


async def _consume(settings: Settings, feed: Feed, count: int) -> None:
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    with composed(settings) as parts:
        ingest = Counted(parts.ingest(), feed, count, lambda: loop.call_soon_threadsafe(done.set))
        kafka = settings.kafka_settings()
        assert kafka is not None
        door = KafkaDoor(kafka, ingest, parts.store.tracking)
        await door.start()
        await done.wait()
        await door.stop()


def _send(task: Task, feed: Feed) -> None:
    producer = Producer({"bootstrap.servers": task.kafka, "linger.ms": 5 if not feed.rate else 0})
    while lines := feed.take(CHUNK):
        for line in lines:
            said = json.loads(line)
            producer.produce(task.options[0], line, key=f"{said['practiceid']}/{said['subject']}")
        if feed.rate is None:
            producer.flush()
        else:
            producer.poll(0)
    producer.flush()


def read_back(task: Task) -> Result:
    return ours.read_back(task)


if __name__ == "__main__":
    play(prepare, read_back)
