"""`caretally conformance`: published cases held against this release."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer

from services.cli.frame import OK, print_lines

app = typer.Typer(no_args_is_help=True)

Paths = Annotated[
    list[Path], typer.Argument(help="YAML files of cases, or folders of them", show_default=False)
]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one result a line, then a summary, as JSON.")
]


@app.callback()
def conformance() -> None:
    """Hold cases with known answers against this release.

    \b
    Example: caretally conformance run conformance/
    """


@app.command()
def run(paths: Paths, as_json: AsJson = False) -> None:
    """Run conformance cases. The exit code is 1 when one fails, 2 when a file is out of form.

    \b
    Example: caretally conformance run conformance/
    """
    from services.conformance import run as run_cases

    out = io.StringIO()
    code = run_cases(paths, as_json, out)
    print_lines(out.getvalue().encode().splitlines())
    if code != OK:
        raise typer.Exit(code)
