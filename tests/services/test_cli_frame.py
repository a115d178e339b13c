"""What every command keeps to: help with an example, starts that load little, quiet ends."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from services.cli.main import app
from tests.services.command import ROOT, START, Command, command
from tests.services.test_ingest import chart, logged

__all__ = ["command"]

HEAVY = {"aiokafka", "faststream", "httpx", "psycopg", "rich", "starlette", "uvicorn", "yaml"}


def commands(node: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command and group, the root included."""
    node = node or typer.main.get_command(app)
    yield path
    for name, child in getattr(node, "commands", {}).items():
        yield from commands(child, (*path, name))


@pytest.mark.parametrize("path", list(commands()), ids=" ".join)
def test_every_command_has_help_with_an_example_of_itself(
    command: Command, path: tuple[str, ...]
) -> None:
    ran = command(*path, "--help")
    assert (ran.code, ran.err) == (0, "")
    text = " ".join(ran.out.decode().split())
    assert f"Example: {' '.join(('caretally', *path))}" in text
    assert ran.out == command(*path, "-h").out


def test_the_version_is_that_of_the_package(command: Command) -> None:
    ran = command.start("--version")
    assert ran.code == 0
    assert re.fullmatch(rb"caretally \d+\.\d+\.\d+\S*\n", ran.out)


@pytest.mark.parametrize(
    ("args", "light"),
    [
        (["--help"], HEAVY | {"pydantic", "eventsourcing", "sqlite3", "msgspec"}),
        (["assessments"], HEAVY),
        (["replay", "/dev/null"], HEAVY | {"eventsourcing", "sqlite3"}),
        (["dead-letters", "list"], HEAVY),
    ],
)
def test_a_command_loads_only_what_it_needs(
    command: Command, args: list[str], light: set[str]
) -> None:
    script = (
        "import sys\nfrom services.cli.main import app\n"
        f"try:\n    app({args!r})\nexcept SystemExit:\n    pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=command.environment(),
        capture_output=True,
        check=True,
    )
    loaded = set(done.stderr.decode().split())
    assert "typer" in loaded
    assert not loaded & light


@pytest.mark.parametrize("name", ["replay", "assessments", "export"])
def test_a_reader_that_has_enough_ends_the_command_quietly(command: Command, name: str) -> None:
    """`| head -1` over more than a pipe holds: no words, no traceback."""
    lines = [line for n in range(800) for line in (*chart(f"pt{n}"), logged("t", 60, f"pt{n}"))]
    path = command.file("many.jsonl", lines)
    command("ingest", path)
    args = [name, str(path)] if name == "replay" else [name]
    with subprocess.Popen(
        [*START, *args],
        cwd=ROOT,
        env=command.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_no_progress_is_written_where_nobody_watches(command: Command) -> None:
    path = command.file("a.jsonl", [*chart(), logged("t1", 1_200)])
    ran = command.start("ingest", path)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == "7 accepted, 0 duplicates without effect, 0 dead letters\n"


def test_progress_is_shown_on_a_terminal(command: Command) -> None:
    path = command.file("a.jsonl", [*chart(), logged("t1", 1_200), b"{oops"])
    assert "a.jsonl" in command.on_terminal("ingest", path)
    assert "dead letters" in command.on_terminal("dead-letters", "replay", "--all")


def test_colours_are_for_terminals_whose_owner_wants_them(command: Command) -> None:
    command("ingest", command.file("a.jsonl", [*chart(), logged("t1", 1_200)]))
    args = ["explain", "pt1", "2025-03"]
    assert "\x1b[" in command.on_terminal(*args)
    assert "\x1b[" not in command.on_terminal(*args, NO_COLOR="1")


def test_without_a_command_the_help_is_shown(command: Command) -> None:
    ran = command()
    assert ran.code == 2
    assert "Commands:" in (ran.out.decode() + ran.err)
