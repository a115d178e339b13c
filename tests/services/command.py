"""The `caretally` command over a store in a folder: as a process, and faster in this one."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from infra.eventstore import open_store
from projections.ports import Store
from services.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
START = [sys.executable, "-m", "services.cli.main"]


@dataclass(frozen=True)
class Ran:
    """How a run of the command ended."""

    code: int
    out: bytes
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """Standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def faults(self) -> list[dict[str, Any]]:
        """The JSON lines of standard error."""
        return [json.loads(line) for line in self.err.splitlines() if line.startswith("{")]


class Command:
    """Runs commands over the SQLite store of one folder, without any other setting."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = f"sqlite:///{folder}/care.db"

    def __call__(self, *args: object, **settings: str) -> Ran:
        """In this process."""
        ours = {name: None for name in os.environ if name.startswith("CARETALLY_")}
        env = {**ours, "CARETALLY_DATABASE": self.database, **settings}
        try:
            result = CliRunner().invoke(app, [str(arg) for arg in args], env=env)
        finally:
            gc.enable()  # a replay turns it off for good, as its process ends with it
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout_bytes, result.stderr)

    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("CARETALLY_")}
        return kept | {"CARETALLY_DATABASE": self.database}

    def start(self, *args: object) -> Ran:
        """In a process of its own."""
        done = subprocess.run(
            [*START, *map(str, args)],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr.decode())

    def on_terminal(self, *args: object, **settings: str) -> str:
        """What a person at a terminal sees of a process, standard error too."""
        ours, theirs = os.openpty()
        with subprocess.Popen(
            [*START, *map(str, args)],
            cwd=ROOT,
            env=self.environment() | {"TERM": "xterm", **settings},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        ):
            os.close(theirs)
            seen = b""
            with suppress(OSError), open(ours, "rb", buffering=0) as screen:
                while piece := screen.read(65_536):
                    seen += piece
        return seen.decode()

    def file(self, name: str, lines: Iterable[bytes]) -> Path:
        path = self.folder / name
        path.write_bytes(b"".join(line + b"\n" for line in lines))
        return path


@pytest.fixture
def command(tmp_path: Path) -> Command:
    return Command(tmp_path)


@pytest.fixture
def store(command: Command) -> Iterator[Store]:
    """The store that the command works on."""
    opened = open_store(command.database)
    yield opened
    opened.close()
