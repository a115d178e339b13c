"""`caretally explain`: why a month stands as it does."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.frame import (
    configured,
    fail,
    in_utf8,
    instant_option,
    month_option,
    opened,
    print_lines,
)
from services.cli.replay import AsOf, Policies, policies

PatientId = Annotated[
    str, typer.Argument(help="The patient's id.", callback=in_utf8, show_default=False)
]
Month = Annotated[str, typer.Argument(help="The month, YYYY-MM.", show_default=False)]
Practice = Annotated[
    str | None,
    typer.Option(
        help="Whose patient, where several practices have one of that id.", callback=in_utf8
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def explain(
    patient: PatientId,
    month: Month,
    practice: Practice = None,
    as_of: AsOf = None,
    policy: Policies = None,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Show why a month stands as it does. Each condition, met or not, with evidence and rule.

    And what was counted, every way to bill the month with its amount, and what would change it.

    \b
    Example: caretally explain pt1 2026-03 --as-of 2026-04-01T00:00:00Z
    """
    as_of_us, month = instant_option(as_of, "--as-of"), month_option(month, "MONTH") or ""
    settings = configured()
    policy_of = policies(settings, policy or [])
    from services.explain import explain_json, explain_stored, explain_text
    from services.histories import Unanswerable

    with opened(settings) as parts:
        wanted = {"practice": practice, "patient": patient, "month": month, "as_of": as_of}
        written_down(parts, "explain", actor, reason, **wanted)
        try:
            explained = explain_stored(
                parts.store, parts.book, policy_of, practice, patient, month, as_of_us
            )
        except Unanswerable as error:
            hint = " (--practice)" if error.field == "practice" else ""
            fail(f"{error}{hint}")
    if as_json:
        print_lines([explain_json(explained)])
    else:
        print_lines(explain_text(explained, _in_color()).encode().splitlines())


def _in_color() -> bool:
    """Colours are for people at a terminal who did not ask to be without them."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
