"""`caretally ingest`: event files into the configured store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.frame import FAILED, fail, opened, print_json

if TYPE_CHECKING:
    from services.bootstrap import Parts
    from services.doors.files import FileOutcome
    from services.ingest import Ingest

Files = Annotated[
    list[Path], typer.Argument(help="JSON Lines files, plain or gzip", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]

AsHistory = Annotated[
    bool, typer.Option("--history", help="Mark every line as history: nobody is alerted by it.")
]

Progress = Callable[[int], None]


def ingest(files: Files, history: AsHistory = False, as_json: AsJson = False) -> None:
    """Put event files into the store. Killed at any point and run again, it goes on where it was.

    Lines that cannot be taken become dead letters, and the exit code is then 1.

    \b
    Example: caretally ingest january.jsonl.gz february.jsonl
             caretally ingest --history years-before.jsonl.gz
    """
    from services.bootstrap import calm_collector

    for path in files:
        if not path.is_file():
            fail(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    with opened() as parts:
        calm_collector()
        core = parts.ingest()
        outcomes = [(path, _take(parts, core, path, history)) for path in files]
    _summarise(outcomes, as_json)
    if any(outcome.dead_lettered for _, outcome in outcomes):
        raise typer.Exit(FAILED)


def _take(parts: Parts, core: Ingest, path: Path, history: bool) -> FileOutcome:
    from projections.ports import ReadModelsMoved
    from services.doors.files import ingest_file
    from services.doors.lines import DamagedFile

    size = parts.settings.batch_size
    try:
        with _progress(path) as progress:
            return ingest_file(core, parts.store, path, size, progress, history)
    except ReadModelsMoved as error:
        fail(f"{error}; it goes on where it was", FAILED)
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
    except DamagedFile as error:
        fail(f"{error}; every line before that was taken")


@contextmanager
def _progress(path: Path) -> Iterator[Progress | None]:
    """A progress bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(
        *columns,
        TextColumn("lines, {task.fields[rate]}"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task(path.name, total=_lines(path), rate="")

        def moved(line: int) -> None:
            speed = bar.tasks[task].speed
            bar.update(task, completed=line, rate=f"{speed:,.0f}/s" if speed else "")

        yield moved


def _lines(path: Path) -> int | None:
    """How many lines a plain file has; a packed one would cost too much to count."""
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            return None
        file.seek(0)
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1 << 20), b""))


def _summarise(outcomes: list[tuple[Path, FileOutcome]], as_json: bool) -> None:
    total = {
        name: sum(getattr(outcome, name) for _, outcome in outcomes)
        for name in ("accepted", "duplicates", "dead_lettered")
    }
    if as_json:
        listed = [{"file": str(path), **asdict(outcome)} for path, outcome in outcomes]
        print_json({**total, "files": listed})
    for path, outcome in outcomes:
        if outcome.resumed_after:
            where = f"went on after line {outcome.resumed_after:,}"
            print(f"{path}: an earlier run had taken its beginning; {where}", file=sys.stderr)
    print(
        f"{total['accepted']:,} accepted, {total['duplicates']:,} duplicates without effect, "
        f"{total['dead_lettered']:,} dead letters",
        file=sys.stderr,
    )
    if total["dead_lettered"]:
        print("see: caretally dead-letters list", file=sys.stderr)
