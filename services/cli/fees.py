"""`caretally fees`: the official fee files that price what is billable."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.frame import configured, day_option, fail, in_one_line, plain, print_lines
from services.cli.frame import to_json as json_line

if TYPE_CHECKING:
    from services.fees import ImportedFees

app = typer.Typer(no_args_is_help=True)

Files = Annotated[
    list[Path],
    typer.Argument(
        help="Official files as published: PPRRVU (csv or fixed width), GPCI, PFALL; plain or zip",
        show_default=False,
    ),
]
Year = Annotated[int | None, typer.Option(help="The year, where the file does not say it.")]
Qp = Annotated[
    bool | None,
    typer.Option(
        "--qp/--no-qp",
        help="Whose figures, from 2026 on: qualifying APM participants' or everybody else's.",
        show_default=False,
    ),
]
First = Annotated[str | None, typer.Option("--from", help="First day of the figures (YYYY-MM-DD).")]
Last = Annotated[str | None, typer.Option("--through", help="Last day of the figures.")]
WorkFloor = Annotated[
    bool,
    typer.Option(
        "--work-floor/--no-work-floor",
        help="Take the work index with the statutory floor of 1.0 where a file has both.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object an import.")]


@app.callback()
def fees() -> None:
    """Load the official fee files, which price what is billable.

    \b
    Example: caretally fees list
    """


@app.command("import")
def import_(
    files: Files,
    year: Year = None,
    qp: Qp = None,
    first: First = None,
    last: Last = None,
    work_floor: WorkFloor = True,
    as_json: AsJson = False,
) -> None:
    """Load official fee files. With any bad file nothing at all is loaded.

    \b
    Example: caretally fees import PPRRVU2026_Jan_nonQPP.csv GPCI2026.csv --no-qp
    """
    first_day, last_day = day_option(first, "--from"), day_option(last, "--through")
    folder = configured().data_folder
    with _fee_faults():
        imported = _import(files, year, qp, first_day, last_day, work_floor, folder)
    _print(imported, as_json)
    told = "use them from now on; answers stored before keep the old ones until `caretally rebuild`"
    print(f"{len(imported)} imported into {folder / 'fees'}; new answers {told}", file=sys.stderr)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List what was imported, oldest first. What a newer import replaced is marked.

    \b
    Example: caretally fees list --json
    """
    from services.fees import list_imported

    folder = configured().data_folder
    with _fee_faults():
        imported = list_imported(folder)
    _print(imported, as_json)
    if not imported:
        print(f"nothing was imported into {folder / 'fees'}", file=sys.stderr)


def _import(
    files: Sequence[Path],
    year: int | None,
    qp: bool | None,
    first_day: date | None,
    last_day: date | None,
    work_floor: bool,
    folder: Path,
) -> Sequence[ImportedFees]:
    from services.fees import import_files

    return import_files(
        files,
        year=year,
        qp=qp,
        first_day=first_day,
        last_day=last_day,
        work_floor=work_floor,
        store_dir=folder,
    ).imported


@contextmanager
def _fee_faults() -> Iterator[None]:
    """What is wrong with a fee file, told in one line."""
    from services.fees import FeeFileError, StoredFeesError

    try:
        yield
    except (FeeFileError, StoredFeesError) as error:
        fail(in_one_line(error))
    except OSError as error:
        fail(f"{error.filename}: {error.strerror or error}")


def _print(imported: Sequence[ImportedFees], as_json: bool) -> None:
    if as_json:
        print_lines(json_line({**asdict(one), "path": str(one.path)}) for one in imported)
    else:
        print_lines(line.encode() for one in imported for line in _lines(one))


def _lines(one: ImportedFees) -> Iterator[str]:
    whose = {None: "", True: " for qualifying participants", False: " for all others"}[one.qp]
    amount = f"{len(one.codes)} codes" if one.codes else ""
    places = f"{one.localities} localities" if one.localities else ""
    parts = [
        f"{one.kind} {one.year}{whose}",
        f"{one.first_day} to {one.last_day}",
        *filter(None, (amount, places)),
        plain(one.source),
        *(["replaced by a newer import"] if one.superseded else []),
    ]
    yield ", ".join(parts)
    if one.missing_codes:
        yield f"  not in the file: {', '.join(one.missing_codes)}"
    for note in one.notes:
        yield f"  {plain(note)}"
