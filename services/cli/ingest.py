"""`caretally ingest`: event files into the configured store, and files of other forms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.frame import FAILED, fail, opened, print_json, to_json
from services.cli.ingest_form import Asked, Form, form_of, settings_with
from services.cli.ingest_shares import shared_files, take_share

if TYPE_CHECKING:
    from domain.rejections import Rejection
    from infra.settings import Settings
    from projections.ports import Store
    from services.bootstrap import Parts
    from services.doors.files import FileOutcome
    from services.ingest import Delivery, Ingest
    from services.rehearsing import Rehearsal

Files = Annotated[
    list[Path],
    typer.Argument(help="JSON Lines, FHIR, HL7 v2, CSV files, plain or gzip", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]

AsHistory = Annotated[
    bool,
    typer.Option(
        "--history", "--backfill", help="Mark every line as history: nobody is alerted by it."
    ),
]
FormName = Annotated[
    Literal["auto", "events", "fhir", "hl7v2"],
    typer.Option(
        "--format",
        help="events; fhir: bundles, or one resource a line; hl7v2: messages or batches of them. "
        "auto: hl7v2 for names that end in .hl7, what --mapping says, else events.",
    ),
]
SiteName = Annotated[
    str | None,
    typer.Option("--site", help="The site profile of such files, where there are several."),
]
MappingFile = Annotated[
    Path | None,
    typer.Option(
        "--mapping", help="Mapping of a spreadsheet (CSV) or of a database's changes (Debezium)."
    ),
]
ExportedAt = Annotated[
    str | None,
    typer.Option(
        "--exported-at",
        metavar="INSTANT",
        help="When the spreadsheet was saved: rows that changed since an earlier one are "
        "corrections.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")
]

Processes = Annotated[
    int,
    typer.Option(
        "--processes",
        min=0,
        max=64,
        help="How many take a file of events at once; 0: as its size and this machine ask for.",
        show_default=False,
    ),
]

Moved = Callable[[int], None]


def ingest(
    files: Files,
    history: AsHistory = False,
    as_json: AsJson = False,
    form: FormName = "auto",
    site: SiteName = None,
    mapping: MappingFile = None,
    exported_at: ExportedAt = None,
    dry_run: DryRun = False,
    processes: Processes = 0,
) -> None:
    """Put event files into the store. Killed at any point and run again, it goes on where it was.

    Lines that cannot be taken become dead letters, and the exit code is then 1. With --mapping
    each row that cannot be taken is also told on standard error, as JSON. Of a large file of
    events several processes take each its share of the patients.

    \b
    Example: caretally ingest january.jsonl.gz february.jsonl
             caretally ingest --history years-before.jsonl.gz
             caretally ingest --format fhir --site river Encounter.ndjson.gz bundle.json
             caretally ingest night.hl7
             caretally ingest --mapping timer.toml --dry-run march.csv
    """
    from services.bootstrap import stop_collector

    for path in files:
        if not path.is_file():
            fail(f"{path}: {'not a file' if path.exists() else 'no such file'}")
        if path.name.removesuffix(".gz").lower().endswith(".csv") and mapping is None:
            fail(f"{path}: a spreadsheet needs --mapping; see examples/timer.toml")
    stop_collector()
    settings, asked = settings_with(mapping), Asked(form, site, mapping, exported_at)
    with opened(settings) as parts:
        forms = {path: form_of(parts, path, asked) for path in files}
    several = {} if dry_run else shared_files(forms, processes)
    outcomes = [
        (path, _together(settings, path, forms[path], history, count))
        for path, count in several.items()
    ]
    with opened(settings) as parts:
        rehearsal = parts.rehearsal() if dry_run else None
        core = parts.rehearsing(rehearsal) if rehearsal else parts.ingest()
        store = rehearsal.store if rehearsal else parts.store
        door = _Door(core, store, settings.batch_size, history)
        outcomes += [(path, door.take(path, forms[path])) for path in files if path not in several]
        if rehearsal is None:
            _release(parts, core)
    _summarise(outcomes, as_json, rehearsal)
    if any(outcome.dead_lettered for _, outcome in outcomes):
        raise typer.Exit(FAILED)


def _release(parts: Parts, core: Ingest) -> None:
    """Whatever waited for an identity that these files brought."""
    if not (parts.sites or parts.mappings):
        return
    from infra.eventstore.translated import open_translations
    from services.releasing import release

    if taken := release(open_translations(parts.store), core):
        print(f"{taken:,} that had waited for an identity were taken", file=sys.stderr)


class _Door:
    """Takes files, one after the other."""

    def __init__(self, core: Ingest, store: Store, size: int, history: bool) -> None:
        self._core, self._store, self._size, self._history = core, store, size, history

    def take(self, path: Path, form: Form) -> FileOutcome:
        """Take a file."""
        from services.doors.files import ingest_file

        with _told(path), _progress(path, form) as progress:
            return ingest_file(
                self._core,
                self._store,
                path,
                self._size,
                progress,
                self._history,
                form.marks,
                form.read,
                form.reading,
                _tell if form.tells else None,
            )


def _together(
    settings: Settings, path: Path, form: Form, history: bool, processes: int
) -> FileOutcome:
    from services.doors.together import take_together

    work = partial(take_share, settings, path, history)
    with _told(path), _progress(path, form) as progress:
        return take_together(work, processes, progress)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What ends a file early, as one line."""
    from projections.ports import ReadModelsMoved
    from services.doors.lines import DamagedFile
    from services.doors.together import ShareFailed
    from services.sheets.reading import SheetError

    try:
        yield
    except (ReadModelsMoved, ShareFailed) as error:
        fail(f"{error}; it goes on where it was", FAILED)
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
    except (DamagedFile, SheetError) as error:
        fail(f"{error}; every line before that was taken")


def _tell(delivery: Delivery, rejection: Rejection) -> None:
    """A row that cannot be taken, on standard error."""
    file, _, line = delivery.origin.removeprefix("file:").rpartition(":")
    said = {"file": file, "line": int(line), "reason": rejection.reason.value}
    rest = {"field": rejection.field, "sentence": rejection.sentence}
    sys.stderr.buffer.write(to_json(said | rest) + b"\n")


@contextmanager
def _progress(path: Path, form: Form) -> Iterator[Moved | None]:
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


def _summarise(
    outcomes: list[tuple[Path, FileOutcome]], as_json: bool, rehearsal: Rehearsal | None
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
    ignored = f", {total['ignored']:,} with nothing of ours" if total["ignored"] else ""
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
