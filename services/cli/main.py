"""The `caretally` command."""

from __future__ import annotations

from typing import Annotated

import typer

import services  # noqa: F401  (pins the time zones before anything else)
from services.cli import (
    accounts,
    asyncapi,
    audit,
    conformance,
    deadletters,
    demo,
    doctor,
    explain,
    fees,
    ingest,
    read,
    rebuild,
    replay,
    serve,
    subscribers,
    tokens,
)

app = typer.Typer(
    name="caretally",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"caretally {version('caretally')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit."),
]


@app.callback()
def caretally(_version: Version = False) -> None:
    """Which chronic care management codes a month has earned, why, and can you prove it.

    \b
    Example: caretally replay march.jsonl
    """


app.command()(demo.demo)
app.command()(ingest.ingest)
app.command()(serve.serve)
app.command()(doctor.doctor)
app.command()(asyncapi.asyncapi)
app.command()(replay.replay)
app.command()(read.assessments)
app.command()(read.alerts)
app.command()(read.export)
app.command()(rebuild.rebuild)
app.command()(explain.explain)
app.add_typer(audit.app, name="audit")
app.add_typer(deadletters.app, name="dead-letters")
app.add_typer(conformance.app, name="conformance")
app.add_typer(fees.app, name="fees")
app.add_typer(subscribers.app, name="subscribers")
app.add_typer(accounts.app, name="accounts")
app.add_typer(tokens.app, name="tokens")


def run() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    run()
