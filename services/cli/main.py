"""The `caretally` command."""

from __future__ import annotations

import typer

import services  # noqa: F401  (pins the time zones before anything else)
from services.cli import ingest, read, replay

app = typer.Typer(
    name="caretally",
    help="Which chronic care management codes a month has earned, why, and can you prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

app.command()(ingest.ingest)
app.command()(replay.replay)
app.command()(read.assessments)
app.command()(read.alerts)
app.command()(read.export)


def run() -> None:
    """The entry point."""
    app()


if __name__ == "__main__":
    run()
