"""`caretally ingest`: event files into the configured store, and files of other forms."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.frame import FAILED, fail, opened
from services.cli.ingest_form import Asked, Form, form_of, settings_with
from services.cli.ingest_shares import shared_files, take_share
from services.cli.ingest_telling import summarise, tell_refused, watched

if TYPE_CHECKING:
    from infra.settings import Settings
    from projections.ports import Store
    from services.bootstrap import Parts
    from services.doors.files import FileOutcome
    from services.ingest import Ingest

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
    summarise(outcomes, as_json, rehearsal, mapping is not None)
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

        with _told(path), watched(path, form) as progress:
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
                tell_refused if form.tells else None,
            )


def _together(
    settings: Settings, path: Path, form: Form, history: bool, processes: int
) -> FileOutcome:
    from services.doors.together import take_together

    work = partial(take_share, settings, path, history)
    with _told(path), watched(path, form) as progress:
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
