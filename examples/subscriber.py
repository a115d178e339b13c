"""Keeps in a SQLite file where every alert stands: python subscriber.py BOOTSTRAP TOPIC FILE"""

import json
import sqlite3
import sys

from confluent_kafka import Consumer

bootstrap, topic, file = sys.argv[1:]
known = sqlite3.connect(file, isolation_level=None)
known.execute("CREATE TABLE IF NOT EXISTS alerts (id TEXT PRIMARY KEY, transition INT, state TEXT)")
group = {"group.id": "example-subscriber", "session.timeout.ms": 10000}
reading = {"auto.offset.reset": "earliest", "enable.auto.commit": False}
consumer = Consumer({"bootstrap.servers": bootstrap, **group, **reading})
consumer.subscribe([topic])
while True:
    record = consumer.poll(1.0)
    if record is None or record.error():
        continue  # nothing came, or the client is already trying again
    alert = json.loads(record.value())
    id, transition, state = alert["alert_id"], alert["transition"], alert["state"]
    last = known.execute("SELECT transition FROM alerts WHERE id = ?", (id,)).fetchone()
    if last is None or transition > last[0]:  # else it was here before: a repetition
        print(f"{id}.{transition}", state, alert["type"], alert["code"], flush=True)  # act on it
        known.execute("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?)", (id, transition, state))
    consumer.commit(record, asynchronous=False)  # only now: a crash before this repeats it
