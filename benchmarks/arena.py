"""One run of one contestant: its processes, what they had for their work, and the check."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks.oracle import Digests, net_of, reached, right_result
from benchmarks.peers.contestants import EACH, NONE, Contestant
from benchmarks.peers.environments import ENVIRONMENTS, NotToBeHad
from benchmarks.peers.harness import Result
from benchmarks.workload import write_workload
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
        files = self.workload(max(50, events), contestant.processes)
        run = Run(contestant.name, sum(1 for file in files for _ in file.open("rb")))
        try:
            with tempfile.TemporaryDirectory(dir=self._folder) as folder:
                self._run(contestant, run, files, Path(folder), rate)
        except (NotToBeHad, KafkaUnavailable, PostgresUnavailable) as error:
            run.faults = str(error).strip()[-ERROR_CHARACTERS:]
        return run

    def _run(
        self, contestant: Contestant, run: Run, files: list[Path], folder: Path, rate: float | None
    ) -> None:
        with self._place(contestant) as arguments:
            empty = _stored_bytes(arguments, folder)
            rivals = []
            for number, file in enumerate(files):
                own = folder / str(number)
                own.mkdir()
                rivals.append(_Process(contestant, arguments, file, own, rate))
            for one in rivals:
                one.await_word("ready")
            run.seconds = _race(rivals)
            run.memory_bytes = sum(one.told["memory_bytes"] for one in rivals)
            if len(rivals) == 1:
                run.milliseconds = rivals[0].told["milliseconds"]
            results = [one.result() for one in rivals]
            run.disk_bytes = _stored_bytes(arguments, folder) - empty
        shared = arguments["store"] == "shared"
        whole = _together(results[:1] if shared else results)
        run.transitions = len(whole["transitions"])
        run.faults = faults(contestant, whole, _together([self._right(file) for file in files]))

    @contextmanager
    def _place(self, contestant: Contestant) -> Iterator[dict[str, str]]:
        """What the contestant's processes are given."""
        found = {"store": "own", "database": "", "kafka": "", "options": ""}
        if contestant.store == "postgres":
            with database(self._server()) as url:
                yield found | {"store": "shared", "database": url}
            return
        if contestant.store == "sqlite" or (contestant.store == "kafka" and contestant.is_ours):
            found["database"] = "sqlite:///{folder}/ours.db"
        if contestant.store == "kafka":
            kafka, name = self._kafka(), uuid4().hex[:8]
            for kind in ("lines", "out"):
                kafka.create_topic(f"{kind}-{name}", PARTITIONS)
            found |= {"kafka": kafka.bootstrap, "options": f"lines-{name} out-{name}"}
        yield found

    def _workload(self, events: int, parts: int) -> list[Path]:
        """The lines in so many files by patient; their order stays."""
        whole = self._folder / f"{events}.jsonl"
        if not whole.exists():
            write_workload(whole, events, self._seed)
        if parts == 1:
            return [whole]
        paths = [self._folder / f"{events}-{n + 1}-of-{parts}.jsonl" for n in range(parts)]
        with ExitStack() as stack:
            files = [stack.enter_context(path.open("wb")) for path in paths]
            for line in stack.enter_context(whole.open("rb")):
                patient = json.loads(line)["subject"]
                files[zlib.crc32(patient.encode()) % parts].write(line)
        return paths

    def _start_postgres(self) -> str:
        return self._stack.enter_context(local_postgres()).url

    def _start_kafka(self) -> LocalKafka:
        return self._stack.enter_context(LocalKafka())


class _Process:
    """One process of a contestant, and the word with it."""

    def __init__(
        self,
        contestant: Contestant,
        arguments: dict[str, str],
        file: Path,
        folder: Path,
        rate: float | None,
    ) -> None:
        environment = ENVIRONMENTS.get(contestant.environment)
        start = environment.command() if environment else [sys.executable, "-m"]
        options = [*contestant.options, *arguments["options"].split()]
        given = {
            "--file": str(file),
            "--folder": str(folder),
            "--database": arguments["database"].format(folder=folder),
            "--kafka": arguments["kafka"],
        } | ({"--rate": str(rate)} if rate else {})
        words = [f"{name}={value}" for name, value in given.items() if value]
        self._folder = folder
        self.told: dict = {}
        with (folder / "stderr").open("wb") as errors:
            self._process = subprocess.Popen(
                [*start, contestant.module, *words, *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=ROOT,
                env=os.environ
                | {"PYTHONPATH": str(ROOT)}
                | ({"PEER_MODULES": str(environment.home)} if environment else {}),
            )

    def go(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def await_word(self, *words: str) -> str:
        """Wait for one of the words; a contestant that ends before raises NotToBeHad."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            word, _, rest = line.strip().partition(" ")
            if word in words:
                self.told = json.loads(rest) if rest else {}
                return word
        said = (self._folder / "stderr").read_text("utf-8", "replace").strip().splitlines()
        raise NotToBeHad(said[-1] if said else f"ended with {self._process.wait()}")

    def result(self) -> Result:
        self._process.communicate()
        (self._folder / "stderr").unlink()
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
        one.go()
    for one in rivals:
        if one.await_word("began", "done") == "began":
            started = time.perf_counter()
            one.await_word("done")
    return time.perf_counter() - started


def _stored_bytes(arguments: dict[str, str], folder: Path) -> int:
    if arguments["store"] == "shared":
        with psycopg.connect(arguments["database"]) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None
        return int(row[0])
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _together(results: list[Result]) -> Result:
    whole: Result = {"months": [], "transitions": []}
    for one in results:
        whole["months"] += one["months"]
        whole["transitions"] += one["transitions"]
    return whole


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
