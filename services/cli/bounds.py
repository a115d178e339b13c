"""Options that say what an account or a token may: roles and practices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.frame import fail, in_utf8

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.accounts import Bounds

Roles = Annotated[
    list[str],
    typer.Option(
        "--role",
        help="coordinator, biller, practitioner, auditor, integrator or admin; may be repeated.",
        show_default=False,
    ),
]
Practices = Annotated[
    list[str] | None,
    typer.Option("--practice", help="One of its practices; may be repeated."),
]
Every = Annotated[bool, typer.Option("--every-practice", help="Bound to no practice.")]


def bounds_option(roles: list[str], practices: list[str] | None, every: bool) -> Bounds:
    """Bounds of options, or the end of the command."""
    from services.access.bounds import UnknownRole, bounds_of

    if bool(practices) == every:
        fail("--practice: expected one or more, or --every-practice")
    for practice in practices or ():
        in_utf8(practice)
    try:
        return bounds_of(roles, practices or (), every)
    except UnknownRole as error:
        fail(f"--role: {error}")


def practices_text(practices: Sequence[str] | None) -> str:
    """Practices in one line."""
    return "every practice" if practices is None else " ".join(practices)


def said(bounds: Bounds) -> dict[str, str]:
    """Bounds for the access log."""
    return {"roles": ",".join(bounds.roles), "practices": practices_text(bounds.practices)}
