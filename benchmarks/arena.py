"""One run of one contestant: its processes, what they had for their work, and the check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg

from benchmarks.oracle import Digests, net_of, reached, right_result
from benchmarks.peers.contestants import EACH, NONE, Contestant
from benchmarks.peers.environments import ENVIRONMENTS, NotToBeHad
from benchmarks.peers.harness import Result
from benchmarks.workload import EVENTS_PER_PATIENT, write_workload
from infra.kafka.jars import KafkaUnavailable
from infra.kafka.local import LocalKafka
from tests.postgres import PostgresUnavailable, database, local_postgres

ROOT = Path(__file__).parents[1]
PARTITIONS = 3
ERROR_CHARACTERS = 200


@dataclass(slots=True)
class Run:
    """What one run came to. `faults` says what is wrong with its result or why there is none."""

    name: str
    events: int
    seconds: float = 0.0
    memory_bytes: int = 0
    disk_bytes: int = 0
    transitions: int = 0
    milliseconds: dict[str, float] = field(default_factory=dict)
    faults: str = ""

    @property
    def rate(self) -> float:
        return self.events / self.seconds if self.seconds else 0.0

    def as_row(self) -> dict[str, object]:
        return asdict(self) | {"rate": round(self.rate, 1)}


class Arena:
    """The workload in files, and the servers that contestants need, started when first needed."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self._stack = ExitStack()
        self.workload = cache(self._workload)
        self._right = cache(right_result)
        self._server = cache(self._start_postgres)
        self._kafka = cache(self._start_kafka)

    def __enter__(self) -> Arena:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def run(self, contestant: Contestant, events: int, rate: float | None = None) -> Run:
        """Run it over so many events, at that rate or as fast as it goes."""
        file = self.workload(max(EVENTS_PER_PATIENT, events))
        run = Run(contestant.name, sum(1 for _ in file.open("rb")))
        try:
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                self._run(contestant, run, file, Path(folder), rate)
        except (NotToBeHad, KafkaUnavailable, PostgresUnavailable) as error:
            run.faults = str(error).strip()[-ERROR_CHARACTERS:]
        return run

    def _run(
        self, contestant: Contestant, run: Run, file: Path, folder: Path, rate: float | None
    ) -> None:
        with self._place(contestant, folder) as place:
            empty = place.stored_bytes()
            parts = range(contestant.processes)
            rivals = [_Process(contestant, place, file, rate, part) for part in parts]
            for one in rivals:
                one.await_word("ready")
            run.seconds = _race(rivals)
            run.memory_bytes = sum(one.told["memory_bytes"] for one in rivals)
            if len(rivals) == 1:
                run.milliseconds = rivals[0].told["milliseconds"]
            for one in rivals[1:]:
                one.end()
            result = rivals[0].read_back()
            run.disk_bytes = place.stored_bytes() - empty
        run.transitions = len(result["transitions"])
        run.faults = faults(contestant, result, self._right(file))

    @contextmanager
    def _place(self, contestant: Contestant, folder: Path) -> Iterator[_Place]:
        """What is made for the contestant's processes."""
        if contestant.store == "postgres":
            with database(self._server()) as url:
                yield _Place(folder, url)
            return
        place = _Place(folder, f"sqlite:///{folder}/ours.db" if contestant.is_ours else "")
        if contestant.store == "kafka":
            kafka, name = self._kafka(), uuid4().hex[:8]
            place.kafka, place.topics = kafka.bootstrap, [f"lines-{name}", f"out-{name}"]
            for topic in place.topics:
                kafka.create_topic(topic, PARTITIONS)
        yield place

    def _workload(self, events: int) -> Path:
        path = self._folder / f"{events}.jsonl"
        write_workload(path, events, self._seed)
        return path

    def _start_postgres(self) -> str:
        return self._stack.enter_context(local_postgres()).url

    def _start_kafka(self) -> LocalKafka:
        return self._stack.enter_context(LocalKafka())


@dataclass(slots=True)
class _Place:
    """Where a contestant keeps things in one run."""

    folder: Path
    database: str = ""
    kafka: str = ""
    topics: list[str] = field(default_factory=list)

    def stored_bytes(self) -> int:
        if self.database.startswith("postgresql:"):
            with psycopg.connect(self.database) as connection:
                row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            assert row is not None
            return int(row[0])
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


class _Process:
    """One process of a contestant, and the word with it."""

    def __init__(
        self, contestant: Contestant, place: _Place, file: Path, rate: float | None, part: int
    ) -> None:
        environment = ENVIRONMENTS.get(contestant.environment)
        start = environment.command() if environment else [sys.executable, "-m"]
        given = {
            "file": file,
            "folder": place.folder,
            "database": place.database,
            "kafka": place.kafka,
            "rate": rate,
            "part": part,
            "parts": contestant.processes,
        }
        words = [f"--{name}={value}" for name, value in given.items() if value]
        modules = {"PEER_MODULES": str(environment.home)} if environment else {}
        self._folder = place.folder
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed in `end`
        self.told: dict[str, Any] = {}
        self._process = subprocess.Popen(
            [*start, contestant.module, *words, *contestant.options, *place.topics],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | modules,
        )

    def say(self, word: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()

    def await_word(self, *words: str) -> str:
        """Wait for one of the words; a contestant that ends before raises NotToBeHad."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word in words:
                self.told = json.loads(rest) if rest else {}
                return word
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        raise NotToBeHad(said[-1] if said else f"ended with {self._process.wait()}")

    def end(self) -> None:
        self._process.communicate()
        self._errors.close()

    def read_back(self) -> Result:
        """What is stored, as it reads it back; then it ends."""
        self.say("read")
        self.end()
        path = self._folder / "result.json"
        if not path.exists():
            raise NotToBeHad("nothing could be read back")
        result: Result = json.loads(path.read_text())
        path.unlink()
        return result


def _race(rivals: list[_Process]) -> float:
    """Seconds from the start until the last one is done."""
    started = time.perf_counter()
    for one in rivals:
        one.say("go")
    for one in rivals:
        if one.await_word("began", "done") == "began":
            started = time.perf_counter()
            one.await_word("done")
    return time.perf_counter() - started


def faults(contestant: Contestant, found: Result, right: Result) -> str:
    """What is wrong with the result; empty where it is right as far as it goes."""
    got, wanted, kind = Digests.of(found), Digests.of(right), contestant.promises.transitions
    if got.months != wanted.months:
        return f"WRONG months: {got.months}, not {wanted.months}"
    if kind == EACH and got.transitions != wanted.transitions:
        return f"WRONG transitions: {got.transitions}, not {wanted.transitions}"
    if kind != NONE and net_of(found) != reached(right):
        return "WRONG transitions: what stands after them is not what the months say"
    return ""
