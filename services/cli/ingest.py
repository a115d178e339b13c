"""`caretally ingest`: event files into the configured store."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.frame import FAILED, fail, opened, print_json

if TYPE_CHECKING:
    from services.bootstrap import Parts
    from services.doors.files import FileOutcome, Headers
    from services.ingest import Ingest

Files = Annotated[
    list[Path],
    typer.Argument(help="JSON Lines, FHIR or HL7 v2 files, plain or gzip", show_default=False),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")]

AsHistory = Annotated[
    bool,
    typer.Option(
        "--history", "--backfill", help="Mark every line as history: nobody is alerted by it."
    ),
]
Form = Annotated[
    Literal["auto", "events", "fhir", "hl7v2"],
    typer.Option(
        "--format",
        help="events; fhir: bundles, or one resource a line; hl7v2: messages or batches of them. "
        "auto: hl7v2 for names that end in .hl7, else events.",
    ),
]
SiteName = Annotated[
    str | None,
    typer.Option("--site", help="The site profile of such files, where there are several."),
]

Progress = Callable[[int], None]


def ingest(
    files: Files,
    history: AsHistory = False,
    as_json: AsJson = False,
    form: Form = "auto",
    site: SiteName = None,
) -> None:
    """Put event files into the store. Killed at any point and run again, it goes on where it was.

    Lines that cannot be taken become dead letters, and the exit code is then 1.

    \b
    Example: caretally ingest january.jsonl.gz february.jsonl
             caretally ingest --history years-before.jsonl.gz
             caretally ingest --format fhir --site river Encounter.ndjson.gz bundle.json
             caretally ingest night.hl7
    """
    from services.bootstrap import calm_collector

    for path in files:
        if not path.is_file():
            fail(f"{path}: {'not a file' if path.exists() else 'no such file'}")
    with opened() as parts:
        calm_collector()
        core, forms = parts.ingest(), [_form(path, form) for path in files]
        marks = {each: _marks(parts, each, site) for each in forms}
        outcomes = [
            (path, _take(parts, core, path, history, each, marks[each]))
            for path, each in zip(files, forms, strict=True)
        ]
        _release(parts, core)
    _summarise(outcomes, as_json)
    if any(outcome.dead_lettered for _, outcome in outcomes):
        raise typer.Exit(FAILED)


def _form(path: Path, asked: str) -> str:
    """The form of a file: as asked, else by its name."""
    if asked != "auto":
        return asked
    return "hl7v2" if path.name.removesuffix(".gz").lower().endswith(".hl7") else "events"


def _marks(parts: Parts, form: str, site: str | None) -> Headers:
    """The headers of a file's deliveries; none for events of ours."""
    from services.translate.marks import FHIR, HL7V2, marked

    if form == "events":
        if site is not None:
            fail("--site: expected with FHIR and HL7 v2 files only")
        return ()
    sites = [name for name, each in parts.sites.items() if form == "fhir" or each.hl7v2]
    if not sites:
        lacking = "a site profile" if form == "fhir" else "a site profile with [hl7v2]"
        fail(f"--format {form}: needs {lacking}: set CARETALLY_FHIR_SITES")
    if site is not None and site not in sites:
        fail(f"--site: expected one of {', '.join(sites)}; found {site[:60]!r}")
    if form == "hl7v2":
        return marked(site or "", form=HL7V2)
    if site is None and len(sites) > 1:
        fail(f"--site: expected one of {', '.join(sites)}")
    return marked(site or sites[0], form=FHIR)


def _release(parts: Parts, core: Ingest) -> None:
    """Whatever waited for an identity that these files brought."""
    if not parts.sites:
        return
    from infra.eventstore.translated import open_translations
    from services.releasing import release

    if taken := release(open_translations(parts.store), core):
        print(f"{taken:,} that had waited for an identity were taken", file=sys.stderr)


def _take(
    parts: Parts, core: Ingest, path: Path, history: bool, form: str, marks: Headers
) -> FileOutcome:
    from projections.ports import ReadModelsMoved
    from services.doors.fhir_files import documents_of
    from services.doors.files import ingest_file
    from services.doors.hl7_files import messages_of
    from services.doors.lines import DamagedFile, lines_of

    read = {"fhir": documents_of, "hl7v2": messages_of}.get(form, lines_of)
    size = parts.settings.batch_size
    try:
        with _progress(path, form) as progress:
            return ingest_file(core, parts.store, path, size, progress, history, marks, read)
    except ReadModelsMoved as error:
        fail(f"{error}; it goes on where it was", FAILED)
    except OSError as error:
        fail(f"{path}: {error.strerror or error}")
    except DamagedFile as error:
        fail(f"{error}; every line before that was taken")


@contextmanager
def _progress(path: Path, form: str) -> Iterator[Progress | None]:
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
        task = bar.add_task(path.name, total=None if form == "hl7v2" else _lines(path), rate="")

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
        for name in ("accepted", "duplicates", "dead_lettered", "ignored")
    }
    if as_json:
        listed = [{"file": str(path), **asdict(outcome)} for path, outcome in outcomes]
        print_json({**total, "files": listed})
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
    if total["dead_lettered"]:
        print("see: caretally dead-letters list", file=sys.stderr)
