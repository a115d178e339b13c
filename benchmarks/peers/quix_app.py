"""quixstreams on a real Kafka: state in RocksDB with changelog topics, results to a topic.

The lines lie in a topic, keyed by patient, before the clock starts. Each message reads and writes
what it needs of its patient's state; months and transitions go out as one message a changed month.
At-least-once, as it comes: after a crash some results are sent again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Thread
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition
from quixstreams import Application, State

from benchmarks.peers.harness import Feed, Result, Task, play, say
from benchmarks.peers.plain import changes, units_of, work_of

BATCH = 1_000


def fold(message: dict[str, Any], state: State) -> list[dict[str, Any]]:
    """One message; what goes out."""
    key = f"{message['source']} {message['id']}"
    if state.exists(key):
        return []
    state.set(key, True)
    data = message["data"]
    if "entry_id" not in data:
        return []
    entry, said = f"entry {data['entry_id']}", f"{message['time']} {key}"
    standing = state.get(entry)
    if standing is not None and standing[0] > said:
        return []
    month, seconds = work_of(data)
    state.set(entry, [said, month, seconds])
    moved = {month: seconds}
    if standing is not None:
        moved[standing[1]] = moved.get(standing[1], 0) - standing[2]
    return [_month(message, state, m, moved[m]) for m in sorted(moved) if m]


def _month(message: dict[str, Any], state: State, month: str, seconds: int) -> dict[str, Any]:
    before = state.get(f"month {month}", 0)
    after = before + seconds
    state.set(f"month {month}", after)
    found = changes(month, units_of(before), units_of(after))
    return {
        "patient": message["subject"],
        "id": message["id"],
        "month": month,
        "seconds": after,
        "changes": found,
    }


def prepare(task: Task) -> Callable[[Feed], None]:
    lines_topic, out_topic = task.options
    left = count = sum(1 for _ in task.file.open("rb"))

    def one_more(*_: Any) -> None:
        nonlocal left
        if left == count:
            say("began")
        left -= 1
        if not left:
            app.stop()

    app = Application(
        broker_address=task.kafka,
        consumer_group=f"group-{lines_topic}",
        auto_offset_reset="earliest",
        state_dir=task.folder / "state",
        loglevel="WARNING",
        on_message_processed=one_more,
    )
    lines = app.topic(lines_topic, value_deserializer="json")
    out = app.topic(out_topic, value_serializer="json")
    frame = app.dataframe(lines).apply(fold, stateful=True, expand=True)
    frame.to_topic(out)
    if task.rate is None:
        _send(task, Feed(task.file))

    def work(feed: Feed) -> None:
        if feed.rate is not None:
            Thread(target=_send, args=(task, feed)).start()
            Thread(target=_watch, args=(task, feed), daemon=True).start()
        app.run()

    return work


def _send(task: Task, feed: Feed) -> None:
    producer = Producer(
        {"bootstrap.servers": task.kafka, "linger.ms": 5 if feed.rate is None else 0}
    )
    while lines := feed.take(BATCH):
        for line in lines:
            producer.produce(task.options[0], line, key=json.loads(line)["subject"])
        producer.flush() if feed.rate is None else producer.poll(0)
    producer.flush()


def _consumer(task: Task, group: str) -> Consumer:
    consumer = Consumer(
        {"bootstrap.servers": task.kafka, "group.id": group, "fetch.wait.max.ms": 20}
    )
    topic = task.options[1]
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, 0) for number in partitions])
    return consumer


def _watch(task: Task, feed: Feed) -> None:
    consumer = _consumer(task, "watch")
    while True:
        found = consumer.poll(0.05)
        if found is not None and found.error() is None:
            feed.seen(json.loads(found.value())["id"])


def read_back(task: Task) -> Result:
    consumer = _consumer(task, "check")
    months: dict[tuple[str, str], tuple[str, str, int, int]] = {}
    transitions: list[tuple[str, str, int, bool, str]] = []
    ends = sum(consumer.get_watermark_offsets(place)[1] for place in consumer.assignment())
    for _ in range(ends):
        row = json.loads(consumer.poll(10).value())
        patient, month, seconds = row["patient"], row["month"], row["seconds"]
        months[patient, month] = (patient, month, seconds, units_of(seconds))
        transitions += [(patient, *change, row["id"]) for change in row["changes"]]
    return {"months": [row for row in months.values() if row[2]], "transitions": transitions}


if __name__ == "__main__":
    play(prepare, read_back)
