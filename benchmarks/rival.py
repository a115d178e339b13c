"""One process of a contestant, where it keeps things, and the word with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

import psycopg

from benchmarks.peers.contestants import Contestant
from benchmarks.peers.environments import ENVIRONMENTS, NotToBeHad
from benchmarks.peers.harness import Result

ROOT = Path(__file__).parents[1]
LONGEST_SECONDS = 3_600.0
"""A contestant that takes longer is ended."""


@dataclass(slots=True)
class Place:
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


class Rival:
    """One process of a contestant, and the word with it."""

    def __init__(
        self, contestant: Contestant, place: Place, file: Path, rate: float | None, part: int
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
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
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
        self._deadline = Timer(LONGEST_SECONDS, self._process.kill)
        self._deadline.start()

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
        told = next((line for line in reversed(said) if "rror" in line), said[-1] if said else "")
        raise NotToBeHad(told or f"ended with {self._process.wait()}")

    def end(self) -> None:
        self._process.communicate()

    def close(self) -> None:
        """Whatever happened, nothing of it stays."""
        self._deadline.cancel()
        self._process.kill()
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
