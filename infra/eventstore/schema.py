"""Schema steps: numbered SQL files, applied forward only, each once."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import NamedTuple

Report = Callable[[str], None]
"""Takes one line for people about what a migration did."""


class SchemaTooNew(RuntimeError):
    """The database was written by a newer release than the one that runs."""

    def __init__(self, found: int, known: int) -> None:
        super().__init__(
            f"the database has schema version {found}, this release knows up to {known}: "
            "run the newer release, or restore a copy made before the upgrade"
        )


class Step(NamedTuple):
    """One schema step and its single statements."""

    version: int
    statements: tuple[str, ...]


def steps(dialect: str) -> list[Step]:
    """Every step of a dialect (`sqlite`, `postgres`), ascending."""
    folder = files("infra.eventstore.migrations") / dialect
    found = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda f: f.name
    )
    return [Step(int(file.name[:-4]), _statements(file.read_text("utf-8"))) for file in found]


def pending(dialect: str, current: int) -> list[Step]:
    """The steps beyond `current`. Raises SchemaTooNew when `current` is beyond all of them."""
    known = steps(dialect)
    if current > known[-1].version:
        raise SchemaTooNew(current, known[-1].version)
    return [step for step in known if step.version > current]


def _statements(script: str) -> tuple[str, ...]:
    parts = (part.strip() for part in script.split(";\n"))
    return tuple(part for part in parts if part)


def silent(_: str) -> None:
    """The report of a caller who does not listen."""
