"""One run of one contestant: its processes, what they had for their work, and the check."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from uuid import uuid4

from benchmarks.oracle import Digests, net_of, reached, right_result
from benchmarks.peers.contestants import EACH, NONE, Contestant
from benchmarks.peers.environments import NotToBeHad
from benchmarks.peers.harness import Result
from benchmarks.rival import Place, Rival
from benchmarks.workload import EVENTS_PER_PATIENT, write_workload
from infra.kafka.jars import KafkaUnavailable
from infra.kafka.local import LocalKafka
from tests.postgres import PostgresUnavailable, database, local_postgres

PARTITIONS = 3
ERROR_CHARACTERS = 200


@dataclass(slots=True)
class Run:
    """What one run came to. `faults` says what is wrong with its result or why there is none."""

    name: str
    events: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    """Computing time of its processes; servers have their own."""
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
    """The workload in files. A server that a contestant needs runs for its run alone: one that
    idles takes from the others what they are measured by."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder, self._seed = folder, seed
        self.workload = cache(self._workload)
        self._right = cache(right_result)

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
            with ExitStack() as stack:
                made = (Rival(contestant, place, file, rate, part) for part in parts)
                rivals = [stack.enter_context(closing(one)) for one in made]
                for one in rivals:
                    one.await_word("ready")
                run.seconds = _race(rivals)
                run.cpu_seconds = sum(one.told["cpu_seconds"] for one in rivals)
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
    def _place(self, contestant: Contestant, folder: Path) -> Iterator[Place]:
        """What is made for the contestant's processes."""
        if contestant.store == "postgres":
            with local_postgres() as server, database(server.url) as url:
                yield Place(folder, url)
            return
        place = Place(folder, f"sqlite:///{folder}/ours.db" if contestant.is_ours else "")
        if contestant.store != "kafka":
            yield place
            return
        with LocalKafka() as kafka:
            name = uuid4().hex[:8]
            place.kafka, place.topics = kafka.bootstrap, [f"lines-{name}", f"out-{name}"]
            for topic in place.topics:
                kafka.create_topic(topic, PARTITIONS)
            yield place

    def _workload(self, events: int) -> Path:
        path = self._folder / f"{events}.jsonl"
        write_workload(path, events, self._seed)
        return path


def _race(rivals: list[Rival]) -> float:
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
