"""`caretally audit replay`: the whole log folded anew beside what is live."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.frame import FAILED, fail, opened, plain, print_json, print_lines, to_json

if TYPE_CHECKING:
    from services.audit.refold import Deviation, Refolded, Told
    from services.bootstrap import Parts

SHOWN_MAX = 50

Verify = Annotated[
    bool, typer.Option("--verify", help="Compare with every live answer and stored transition.")
]
Processes = Annotated[
    int, typer.Option("--processes", min=1, max=64, help="Among how many the work is parted.")
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print every difference as JSON, one a line, then a summary.")
]


def replay(verify: Verify = False, processes: Processes = 1, as_json: AsJson = False) -> None:
    """Fold the whole log anew and compare. Every assessment and transition, suppressed ones too.

    By the rules, fees and policies of today: what was decided by others before they changed
    differs, and is listed. Nothing is written. Exit 1 if anything differs.

    \b
    Example: caretally audit replay --verify --processes 2
    """
    if not verify:
        fail("expected --verify; to fold event files, see: caretally replay")
    from services.audit.refolding import refold_all

    with opened() as parts, _progress(parts) as told:
        found = refold_all(parts, processes, told)
    _tell(found, as_json)
    if found.deviations:
        raise typer.Exit(FAILED)


def _tell(found: Refolded, as_json: bool) -> None:
    summary = {
        "patients": found.patients,
        "events": found.events,
        "assessments": found.assessments,
        "transitions": found.transitions,
        "transitions_across_patients": found.crossing,
        "differences": len(found.deviations),
    }
    if as_json:
        print_lines(to_json(_line(d)) for d in found.deviations)
        print_json(summary)
        return
    for d in found.deviations[:SHOWN_MAX]:
        alert = f" {d.alert}" if d.alert else ""
        members = f": {', '.join(d.members)}" if d.members else ""
        print(plain(f"{d.stream_id} {d.month} {d.what}{alert} {d.kind}{members}"))
    if len(found.deviations) > SHOWN_MAX:
        print(f"… and {len(found.deviations) - SHOWN_MAX:,} more: see --json")
    seen = f"{found.events:,} events of {found.patients:,} patients folded"
    compared = f"{found.assessments:,} assessments, {found.transitions:,} transitions compared"
    verdict = f"{len(found.deviations):,} differ" if found.deviations else "all equal"
    print(f"{seen}; {compared}: {verdict}", file=sys.stderr)
    if found.crossing:
        print(
            f"note: {found.crossing:,} transitions that cross patients are not folded by patient; "
            "their projections are compared by: caretally rebuild",
            file=sys.stderr,
        )


def _line(d: Deviation) -> dict[str, Any]:
    return {
        "what": d.what,
        "kind": d.kind,
        "stream": d.stream_id,
        "month": d.month or None,
        "alert": d.alert or None,
        "members": list(d.members),
    }


@contextmanager
def _progress(parts: Parts) -> Iterator[Told]:
    """A progress bar on standard error, where somebody watches."""
    if not sys.stderr.isatty():
        yield lambda _patients: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task("patients", total=parts.store.counts()["patients"])
        yield lambda patients: bar.advance(task, patients)
