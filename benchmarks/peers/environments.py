"""Where each peer lives: a virtual environment or a folder of node modules, versions pinned."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
HOMES = HERE / ".environments"


class NotToBeHad(Exception):
    """Why a peer cannot be set up or run here."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One peer's own place; `what` is the package whose version is told."""

    name: str
    what: str

    @property
    def home(self) -> Path:
        return HOMES / self.name

    @property
    def _error(self) -> Path:
        return HOMES / f"{self.name}.error"

    def setup(self) -> None:
        """Make it anew unless it is as its pins say. Raises NotToBeHad, and remembers why."""
        HOMES.mkdir(exist_ok=True)
        if self._is_ready():
            return
        shutil.rmtree(self.home, ignore_errors=True)
        self._error.unlink(missing_ok=True)
        try:
            self._install()
            self.stamp.write_text(self.pins.read_text())
        except NotToBeHad as error:
            self._error.write_text(str(error))
            raise

    def command(self) -> list[str]:
        """How to start a contestant in it. Raises NotToBeHad."""
        if not self._is_ready():
            known = self._error.read_text() if self._error.exists() else ""
            raise NotToBeHad(known or "not set up: python -m benchmarks.peers setup")
        return self._command()

    @property
    def pins(self) -> Path:
        return HERE / "requirements" / f"{self.name}.txt"

    @property
    def stamp(self) -> Path:
        return self.home / "pins"

    def _is_ready(self) -> bool:
        return self.stamp.exists() and self.stamp.read_text() == self.pins.read_text()

    def version(self) -> str:
        """Of what it is for, as installed."""
        code = f"import importlib.metadata as m; print(m.version({self.what!r}))"
        return _run([str(self._python), "-c", code]).strip()

    @property
    def _python(self) -> Path:
        return self.home / "bin" / "python"

    def _install(self) -> None:
        _run([sys.executable, "-m", "venv", str(self.home)])
        pip = [str(self._python), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "install", "-r", str(self.pins)])

    def _command(self) -> list[str]:
        return [str(self._python), "-m"]


class NodeEnvironment(Environment):
    """A folder of node modules; its pins are a package.json."""

    @property
    def pins(self) -> Path:
        return HERE / self.name.replace("-", "/") / "package.json"

    def version(self) -> str:
        package = self.home / "node_modules" / self.what / "package.json"
        return str(json.loads(package.read_text())["version"])

    def _install(self) -> None:
        if shutil.which("npm") is None:
            raise NotToBeHad("npm is not installed (Node.js 20 or newer)")
        self.home.mkdir(parents=True)
        shutil.copy(self.pins, self.home)
        _run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(self.home)])

    def _command(self) -> list[str]:
        return ["node"]


ENVIRONMENTS = {
    one.name: one
    for one in (
        Environment("dict", "msgspec"),
        Environment("sql", "psycopg"),
        Environment("eventsourcing", "eventsourcing"),
        Environment("bytewax", "bytewax"),
        Environment("quixstreams", "quixstreams"),
        Environment("pathway", "pathway"),
        Environment("duckdb", "duckdb"),
        NodeEnvironment("emmett-sqlite", "@event-driven-io/emmett-sqlite"),
        NodeEnvironment("emmett-postgresql", "@event-driven-io/emmett-postgresql"),
    )
}


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        told = next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "")
        raise NotToBeHad(f"{Path(command[0]).name}: {told.strip()[:200]}")
    return done.stdout
