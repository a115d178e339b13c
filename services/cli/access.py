"""Reads of patients by commands: written down first, refused where that is not possible."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from services.cli.frame import FAILED, fail, in_one_line, in_utf8

if TYPE_CHECKING:
    from services.bootstrap import Parts

Actor = Annotated[
    str | None,
    typer.Option(
        "--actor",
        help="Who asks, for the access log, where it is not this system's user.",
        callback=in_utf8,
    ),
]
Why = Annotated[
    str | None, typer.Option("--reason", help="Why, for the access log.", callback=in_utf8)
]


def written_down(
    parts: Parts, what: str, actor: str | None, reason: str | None, **wanted: str | None
) -> None:
    """Append to the access log that `what` is read, or end the command with nothing shown.

    `wanted` is the filter by its options' names; None stands for no filter.
    """
    from services.audit.access import COMMAND, Reader, record, system_user

    reader = Reader(COMMAND, system_user(), actor or parts.settings.actor, reason or "")
    try:
        record(parts.store, parts.clock, reader, what, wanted)
    except Exception as error:
        sentence = "the access log cannot be written, so nothing is shown"
        fail(f"{sentence}: {in_one_line(error)}", FAILED)


def changed(
    parts: Parts,
    what: Literal["account", "token"],
    actor: str | None,
    reason: str | None,
    **about: str | None,
) -> None:
    """Append to the access log who may read from now on, or end the command with nothing done."""
    from services.audit.access import COMMAND, Reader, record, system_user

    reader = Reader(COMMAND, system_user(), actor or parts.settings.actor, reason or "")
    try:
        record(parts.store, parts.clock, reader, f"{what} changed", about)
    except Exception as error:
        sentence = "the access log cannot be written, so nothing is changed"
        fail(f"{sentence}: {in_one_line(error)}", FAILED)
