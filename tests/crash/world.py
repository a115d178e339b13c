"""The product's own processes over real servers, under a feed that does not stop."""

from __future__ import annotations

import json
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from typing import TypeVar

from confluent_kafka import Producer

from benchmarks.workload import DAYS, FIRST_DAY, lines
from infra.eventstore import open_store
from infra.kafka.settings import KafkaSettings
from projections.ports import Store
from projections.projected import place
from services.projecting.overlaps import NAME as OVERLAPS
from tests.delivery.conftest import fresh
from tests.delivery.feed import LAST_DAY, Message, binary, broken, structured
from tests.services.serving import clean

PATIENCE_SECONDS = 180.0
"""How long a loaded machine may take to get anywhere with what usually takes a second or two."""

BROKEN_EVERY = 40
"""One message in so many is nonsense."""

CLINIC_EVENTS = 1000
"""Of twenty patients."""

COMMAND = ("-m", "services.cli.main")

_DAY = re.compile(rb"(?<=\")20\d\d-\d\d-\d\d")
_LATER = LAST_DAY - (FIRST_DAY + timedelta(DAYS - 1))
"""The workload is told as of last month: of months long over nobody is alerted."""

Result = TypeVar("Result")


def messages(seed: int) -> Iterator[Message]:
    """Patients without end, a clinic at a time: each one's last three whole months, late, repeated
    and corrected entries among them, in two content modes."""
    for clinic in count():
        for number, line in enumerate(lines(CLINIC_EVENTS, seed + clinic)):
            event = json.loads(_DAY.sub(_moved, line))
            event["subject"], event["id"] = (
                f"{clinic}-{event['subject']}",
                f"{clinic}-{event['id']}",
            )
            yield binary(event) if number % 2 else structured(event)
            if number % BROKEN_EVERY == 0:
                yield broken(number)


def _moved(day: re.Match[bytes]) -> bytes:
    return (date.fromisoformat(day[0].decode()) + _LATER).isoformat().encode()


class Feeder:
    """A foreign system that sends in bursts until it is told to stop; every message is
    acknowledged by the broker in the end, whatever happens to the broker meanwhile."""

    def __init__(
        self, settings: KafkaSettings, messages: Iterator[Message], rate: float, seed: int
    ) -> None:
        """`rate` is the mean of messages a second."""
        self.sent = 0
        self._messages, self._topic, self._rate = messages, settings.events_topic, rate
        self._rng = random.Random(seed)
        self._failed: list[object] = []
        self._stop = threading.Event()
        options = {
            "bootstrap.servers": settings.bootstrap,
            "enable.idempotence": True,
            "linger.ms": 2,
            "message.timeout.ms": 600_000,
            "log_level": 0,
        }
        self._producer = Producer(options)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the feed and wait for every acknowledgement."""
        self._stop.set()
        self._thread.join()
        assert self._producer.flush(PATIENCE_SECONDS) == 0, "the broker did not acknowledge all"
        assert not self._failed, self._failed[0]

    def _run(self) -> None:
        while not self._stop.is_set():
            burst = self._rng.choice((1, 1, 10, 10, 100, 1000))
            for _ in range(burst):
                self._send(next(self._messages))
            self._producer.poll(0)
            self._stop.wait(burst / self._rate)

    def _send(self, message: Message) -> None:
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    key=message.key,
                    value=message.value,
                    headers=message.headers,
                    on_delivery=lambda error, _: self._failed.append(error) if error else None,
                )
            except BufferError:  # the broker is away and enough waits here already
                self._producer.poll(0.1)
                continue
            self.sent += 1
            return


class Member:
    """One `caretally serve` process, started again after every kill."""

    def __init__(
        self,
        name: str,
        role: str,
        environment: dict[str, str],
        folder: Path,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self.name, self.role = name, role
        self._command = [sys.executable, *command, "serve", "--role", role]
        self._environment = environment
        self._log = folder / f"{name}.log"
        self._seen = 0
        self.process: subprocess.Popen[bytes] = self._spawned()

    def _spawned(self) -> subprocess.Popen[bytes]:
        self._seen = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            return subprocess.Popen(self._command, env=clean(self._environment), stderr=log)

    def start(self) -> None:
        self.process = self._spawned()

    def log(self) -> str:
        """What it has said since its last start."""
        with self._log.open("rb") as file:
            file.seek(self._seen)
            return file.read().decode("utf-8", "replace")

    def up(self) -> bool:
        return '"message": "started"' in self.log()

    def base(self) -> str:
        """Where it serves HTTP, once it is up."""
        eventually(self.up, f"{self.name} started")
        lines = map(json.loads, self.log().splitlines())
        said = next(x["message"] for x in lines if "HTTP is served at" in x["message"])
        return str(said.rpartition(" ")[2])

    def memory_bytes(self) -> int:
        """What it holds of the machine's memory now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """As the kernel would: nothing is said, nothing is tidied up."""
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_SECONDS)


class World:
    """A topic, a database, the processes between them, and the feed."""

    def __init__(self, bootstrap: str, database: str, folder: Path, seed: int, partitions: int):
        self.settings = fresh(bootstrap, partitions)
        self.database, self.folder, self.seed = database, folder, seed
        self.partitions = partitions
        self.rng = random.Random(seed)
        self.members: list[Member] = []
        self.kills: dict[str, int] = {}
        self.extra: dict[str, str] = {}
        """Further variables of the processes started from now on."""
        open_store(database).close()  # so that the schema is there before anybody is killed

    def member(self, role: str, stays: bool = False, command: Sequence[str] = COMMAND) -> Member:
        """Start a process. `stays`: it keeps its place in the group while it is started again."""
        name = f"{role}-{len(self.members)}"
        environment = self.environment() | (
            {"CARETALLY_KAFKA_GROUP_INSTANCE_ID": name} if stays and role == "ingest" else {}
        )
        member = Member(name, role, environment, self.folder, command)
        self.members.append(member)
        return member

    def environment(self) -> dict[str, str]:
        return {
            "CARETALLY_DATABASE": self.database,
            "CARETALLY_HTTP": "off",
            "CARETALLY_KAFKA": self.settings.bootstrap,
            "CARETALLY_KAFKA_EVENTS_TOPIC": self.settings.events_topic,
            "CARETALLY_KAFKA_ALERTS_TOPIC": self.settings.alerts_topic,
            "CARETALLY_KAFKA_ALERT_STATE_TOPIC": self.settings.alert_state_topic,
            "CARETALLY_KAFKA_ASSESSMENTS_TOPIC": self.settings.assessments_topic,
            "CARETALLY_KAFKA_GROUP_ID": self.settings.group_id,
            "CARETALLY_KAFKA_SESSION_TIMEOUT_MS": "3000",
            # Many small transactions: a kill hits one more often than not.
            "CARETALLY_KAFKA_MAX_RECORDS": "50",
            **self.extra,
        }

    def kill_one(self, victims: Sequence[Member]) -> None:
        """Kill one of these at a random point and start it again: mostly while it works, one time
        in five while it still starts, one in five while it may still join the group."""
        victim = self.rng.choice(victims)
        moment = self.rng.random()
        if moment > 0.2:
            eventually(victim.up, f"{victim.name} started")
        if moment > 0.4:
            done = self.ask(lambda store: self.done(store, victim.role))
            eventually(
                lambda: self.ask(lambda store: self.done(store, victim.role)) != done,
                f"{victim.role} did something",
            )
        time.sleep(self.rng.uniform(0, 0.3))
        victim.kill()
        self.kills[victim.role] = self.kills.get(victim.role, 0) + 1
        victim.start()

    def done(self, store: Store, role: str) -> int:
        """What grows while a role works."""
        if role == "notifier":
            return store.delivered(f"kafka:{self.settings.alerts_topic}")
        if role == "projector":
            return store.tracking(place(OVERLAPS, 0)) or 0
        return store.head()

    @contextmanager
    def store(self) -> Iterator[Store]:
        store = open_store(self.database)
        try:
            yield store
        finally:
            store.close()

    def ask(self, question: Callable[[Store], Result]) -> Result:
        with self.store() as store:
            return question(store)

    def moved(self, by: int = 1) -> None:
        """Wait until the log has grown."""
        head = self.ask(lambda store: store.head())
        eventually(lambda: self.ask(lambda store: store.head()) >= head + by, "the log grew")

    def end(self) -> None:
        """Stop every process in the orderly way."""
        for member in self.members:
            eventually(member.up, f"{member.name} started")
        codes = {member.name: member.end() for member in self.members}
        assert set(codes.values()) <= {0}, codes


@contextmanager
def world(
    bootstrap: str, database: str, folder: Path, seed: int, partitions: int = 6
) -> Iterator[World]:
    """A world whose processes are gone afterwards, however it ended."""
    made = World(bootstrap, database, folder, seed, partitions)
    try:
        yield made
    finally:
        for member in made.members:
            if member.process.poll() is None:
                member.signal(signal.SIGCONT)
                member.kill()


def eventually(
    true: Callable[[], bool],
    what: str,
    seconds: float = PATIENCE_SECONDS,
    moving: Callable[[], object] = lambda: None,
) -> None:
    """Wait for something to be so; an error that says what was not, when it is not in time.

    Where `moving` tells something new, it is still being worked on, and the time begins again.
    """
    end, seen = time.monotonic() + seconds, moving()
    while not true():
        if (now := moving()) != seen:
            end, seen = time.monotonic() + seconds, now
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
