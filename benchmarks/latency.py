"""How long an alert takes: from the sending of a time entry to Kafka until a subscriber has the
alert that it caused. `python -m benchmarks.latency`.

Real parts, each a process of its own: a broker, a feed at a steady rate, `caretally serve` over
SQLite or PostgreSQL (every transaction synced to disk), a subscriber; all on this machine. The
broker's way in and out is in the figures. The peer does the plain job one event at a time with the
`eventsourcing` library; a rate beyond what it can take only shows how its backlog grows.

The first fifth of a run warms up and is left out. A percentile is told where at least ten samples
lie beyond it, else the greatest sample stands for it, in brackets.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from infra.kafka.local import LocalKafka
from infra.kafka.topics import COMPACTED
from tests.postgres import database, local_postgres

RESULTS = Path(__file__).parent / "results" / "latency.json"
EVENTS_PARTITIONS, ALERTS_PARTITIONS = 3, 2
WARMING = 0.2
QUIET_SECONDS = 20.0
"""A run that is behind gets so long after its last event to bring its alerts."""
PERCENTILES = (50.0, 99.0, 99.9)


class Case(NamedTuple):
    side: str
    store: str
    rate: int
    seconds: float
    role: str


class Run(NamedTuple):
    side: str
    store: str
    rate: int
    """Events a second that the feed really sent."""
    load: float
    """The machine's load average over a minute, at the end of the run."""
    alerts: int
    missing: int
    """Alerts that did not come in time."""
    milliseconds: dict[str, float]


class Topics(NamedTuple):
    bootstrap: str
    name: str

    def of(self, kind: str) -> str:
        return f"{kind}-{self.name}"


def main() -> None:
    """Run, print the table, write the results."""
    options = _options()
    runs: list[Run] = []
    with ExitStack() as stack:
        kafka = stack.enter_context(LocalKafka())
        server = stack.enter_context(local_postgres()).url if "postgres" in options.stores else ""
        for store, side, rate in product(options.stores, options.sides, options.rates):
            case = Case(side, store, rate, options.seconds, options.role)
            with (
                tempfile.TemporaryDirectory(prefix="bench-") as folder,
                _database(case, Path(folder), server) as url,
            ):
                runs.append(_run(case, kafka, Path(folder), url))
            _print(runs[-1], first=len(runs) == 1)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps([run._asdict() for run in runs], indent=1))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", type=int, nargs="+", default=[50, 500, 2000])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--stores", nargs="+", default=["sqlite", "postgres"])
    parser.add_argument("--sides", nargs="+", default=["ours", "peer"])
    parser.add_argument("--role", default="all", help="what `caretally serve` runs")
    return parser.parse_args()


@contextmanager
def _database(case: Case, folder: Path, server: str) -> Iterator[str]:
    if case.store == "postgres":
        with database(server) as url:
            yield url
    else:
        yield f"sqlite:///{folder / 'ours.db'}" if case.side == "ours" else str(folder)


def _run(case: Case, kafka: LocalKafka, folder: Path, url: str) -> Run:
    topics = Topics(kafka.bootstrap, uuid4().hex[:8])
    kafka.create_topic(topics.of("events"), EVENTS_PARTITIONS)
    kafka.create_topic(topics.of("alerts"), ALERTS_PARTITIONS)
    for kind in ("states", "months"):
        kafka.create_topic(topics.of(kind), ALERTS_PARTITIONS, COMPACTED)
    feeding = _feed(topics, case.rate, case.seconds, folder)
    serving = _ours(topics, url, case.role) if case.side == "ours" else _peer(topics, url)
    try:
        _await(folder / "charted", feeding)
        _await_consumed(topics, serving)
        (folder / "go").touch()
        arrived = _alerts(topics, feeding, int(case.rate * case.seconds) // 3)
    finally:
        for process in (feeding, serving):
            process.terminate()
            process.wait(15)
    told = json.loads((folder / "sent.json").read_text())
    return _summary(case, told["sent"], told["rate"], arrived)


def _feed(topics: Topics, rate: int, seconds: float, folder: Path) -> subprocess.Popen[bytes]:
    values = [topics.bootstrap, topics.of("events"), rate, seconds, folder]
    return _process("benchmarks.latency_feed", *map(str, values))


def _peer(topics: Topics, url: str) -> subprocess.Popen[bytes]:
    values = [topics.bootstrap, topics.of("events"), topics.of("alerts"), topics.name, url]
    return _process("benchmarks.latency_peer", *values)


def _ours(topics: Topics, url: str, role: str) -> subprocess.Popen[bytes]:
    settings = {
        "DATABASE": url,
        "HTTP": "off",
        "LOG_LEVEL": "warning",
        "KAFKA": topics.bootstrap,
        "KAFKA_GROUP_ID": topics.name,
        "KAFKA_EVENTS_TOPIC": topics.of("events"),
        "KAFKA_ALERTS_TOPIC": topics.of("alerts"),
        "KAFKA_ALERT_STATE_TOPIC": topics.of("states"),
        "KAFKA_ASSESSMENTS_TOPIC": topics.of("months"),
    }
    environment = {f"CARETALLY_{name}": value for name, value in settings.items()}
    return _process("services.cli.main", "serve", "--role", role, environment=environment)


def _process(
    module: str, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.Popen[bytes]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CARETALLY_")}
    command = [sys.executable, "-m", module, *arguments]
    return subprocess.Popen(command, env=kept | (environment or {}))


def _await(file: Path, process: subprocess.Popen[bytes]) -> None:
    while not file.exists():
        assert process.poll() is None, "the feed ended before it had begun"
        time.sleep(0.05)


def _await_consumed(topics: Topics, serving: subprocess.Popen[bytes]) -> None:
    """Wait until the charts are stored: until the group's position is the topic's end."""
    consumer = Consumer({"bootstrap.servers": topics.bootstrap, "group.id": topics.name})
    places = [TopicPartition(topics.of("events"), n) for n in range(EVENTS_PARTITIONS)]
    try:
        while True:
            assert serving.poll() is None, "the consuming process ended"
            ends = [consumer.get_watermark_offsets(place)[1] for place in places]
            try:
                told = [place.offset for place in consumer.committed(places, timeout=5)]
            except KafkaException:  # the group is not there yet
                told = []
            if told == ends:
                return
            time.sleep(0.2)
    finally:
        consumer.close()


def _alerts(topics: Topics, feeding: subprocess.Popen[bytes], expected: int) -> dict[str, int]:
    """When the first alert that an entry caused arrived, by the entry's event id."""
    consumer = Consumer(
        {"bootstrap.servers": topics.bootstrap, "group.id": "subscriber"}
        | {"enable.auto.commit": False, "fetch.wait.max.ms": 100}
    )
    topic = topics.of("alerts")
    places = [TopicPartition(topic, n, OFFSET_BEGINNING) for n in range(ALERTS_PARTITIONS)]
    consumer.assign(places)
    arrived: dict[str, int] = {}
    end: float | None = None
    while len(arrived) < expected and (end is None or time.monotonic() < end):
        if end is None and feeding.poll() is not None:
            end = time.monotonic() + QUIET_SECONDS
        found = consumer.poll(0.1)
        if found is not None and found.error() is None:
            at = time.time_ns()
            cause = json.loads(found.value() or b"{}")["cause"]["id"]
            if cause.startswith("t"):
                arrived.setdefault(cause, at)
    consumer.close()
    feeding.wait(120)
    return arrived


def _summary(case: Case, sent: dict[str, int], achieved: float, arrived: dict[str, int]) -> Run:
    warm = set(list(sent)[int(len(sent) * WARMING) :])
    samples = sorted((arrived[id] - sent[id]) / 1e6 for id in arrived if id in warm)
    missing = len(sent) // 3 - len(arrived)
    told = {}
    for percent in PERCENTILES:
        beyond = len(samples) * (1 - percent / 100)
        place = min(len(samples) - 1, int(len(samples) * percent / 100))
        name = f"p{percent:g}" if beyond >= 10 or percent == PERCENTILES[0] else f"(p{percent:g})"
        told[name] = samples[place if name[0] == "p" else -1] if samples else float("nan")
    load = os.getloadavg()[0]
    rate = round(achieved)
    return Run(case.side, case.store, rate, load, len(samples), max(0, missing), told)


def _print(run: Run, first: bool) -> None:
    if first:
        print(f"{'side':6}{'store':10}{'rate/s':>8}{'load':>6}{'alerts':>8}{'late':>6}  ms")
    told = "  ".join(f"{name} {value:,.0f}" for name, value in run.milliseconds.items())
    print(
        f"{run.side:6}{run.store:10}{run.rate:8,}{run.load:6.1f}{run.alerts:8,}"
        f"{run.missing:6,}  {told}",
        flush=True,
    )


if __name__ == "__main__":
    main()
