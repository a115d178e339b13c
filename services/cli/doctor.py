"""`caretally doctor`: is this installation well, and if not, what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.frame import FAILED, print_json

if TYPE_CHECKING:
    from services.doctor import Finding

Quick = Annotated[
    bool, typer.Option("--quick", help="Examine some patients' histories, not the whole log.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def doctor(quick: Quick = False, as_json: AsJson = False) -> None:
    """Check settings, database, log integrity, clock, time zones and Kafka; say what to do.

    Nothing is changed. The exit code is 1 if a check failed; a warning does not count.

    \b
    Example: caretally doctor --quick
    """
    import logging

    from infra.clock import system_clock
    from services.doctor import Examination, State

    logging.disable(logging.CRITICAL)  # the findings say it; a client's own words would not help
    found: list[Finding] = []
    for finding in Examination(system_clock, _watch, quick).findings():
        found.append(finding)
        if not as_json:
            _say(finding)
    well = all(finding.state is not State.FAIL for finding in found)
    if as_json:
        print_json({"ok": well, "checks": [asdict(finding) for finding in found]})
    if not well:
        raise typer.Exit(FAILED)


def _say(finding: Finding) -> None:
    print(f"{finding.state:<5} {finding.check}: {finding.finding}", flush=True)
    if finding.advice:
        print(f"      → {finding.advice}", flush=True)


@contextmanager
def _watch(title: str, steps: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task(title, total=steps)
        yield lambda done: bar.update(task, completed=done)
