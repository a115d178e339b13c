"""What `caretally ingest` tells: how far it is, what is refused, what became of everything."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from services.cli.frame import print_json, to_json
from services.cli.ingest_form import Form

if TYPE_CHECKING:
    from domain.rejections import Rejection
    from services.doors.files import FileOutcome
    from services.ingest import Delivery
    from services.rehearsing import Rehearsal

Moved = Callable[[int], None]

IGNORED = {False: "with nothing of ours", True: "unchanged or left out"}
"""What became of lines that were neither taken nor refused; of rows, where a mapping is given."""


def tell_refused(delivery: Delivery, rejection: Rejection) -> None:
    """A row that cannot be taken, on standard error."""
    file, _, line = delivery.origin.removeprefix("file:").rpartition(":")
    said = {"file": file, "line": int(line), "reason": rejection.reason.value}
    rest = {"field": rejection.field, "sentence": rejection.sentence}
    sys.stderr.buffer.write(to_json(said | rest) + b"\n")


@contextmanager
def watched(path: Path, form: Form) -> Iterator[Moved | None]:
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
        task = bar.add_task(path.name, total=form.lines(path), rate="")

        def moved(line: int) -> None:
            speed = bar.tasks[task].speed
            bar.update(task, completed=line, rate=f"{speed:,.0f}/s" if speed else "")

        yield moved


def summarise(
    outcomes: list[tuple[Path, FileOutcome]],
    as_json: bool,
    rehearsal: Rehearsal | None,
    rows: bool,
) -> None:
    total = {
        name: sum(getattr(outcome, name) for _, outcome in outcomes)
        for name in ("accepted", "duplicates", "dead_lettered", "ignored")
    }
    if as_json:
        listed = [{"file": str(path), **asdict(outcome)} for path, outcome in outcomes]
        would = {} if rehearsal is None else {"dry_run": True, "events": dict(rehearsal.events)}
        print_json({**total, **would, "files": listed})
    for path, outcome in outcomes:
        if outcome.resumed_after:
            where = f"went on after line {outcome.resumed_after:,}"
            print(f"{path}: an earlier run had taken its beginning; {where}", file=sys.stderr)
    ignored = f", {total['ignored']:,} {IGNORED[rows]}" if total["ignored"] else ""
    print(
        f"{total['accepted']:,} accepted, {total['duplicates']:,} duplicates without effect, "
        f"{total['dead_lettered']:,} dead letters{ignored}",
        file=sys.stderr,
    )
    if rehearsal is not None:
        kinds = [f"{count:,} {name}" for name, count in sorted(rehearsal.events.items())]
        print(
            f"a dry run: nothing was changed. It would add {', '.join(kinds) or 'nothing'}",
            file=sys.stderr,
        )
    elif total["dead_lettered"]:
        print("see: caretally dead-letters list", file=sys.stderr)
