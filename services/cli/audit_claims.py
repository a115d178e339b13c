"""`caretally audit claims`: what is claimed and not supported, earned and not claimed."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.frame import fail, instant_option, month_option, opened, plain, print_lines
from services.cli.replay import AsOf, MonthText, PracticeId

KINDS = ("diverged", "late", "reopened", "unclaimed")

KindOption = Annotated[str | None, typer.Option("--kind", help=f"Only one of {', '.join(KINDS)}.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object a month.")]


def claims(
    practice: PracticeId = None,
    month: MonthText = None,
    kind: KindOption = None,
    as_of: AsOf = None,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """List claims no longer supported and codes never claimed. Dollars at stake, days to return.

    What was paid too much is to be returned within 60 days of when it was known: the first
    instant at which the log held facts that did not support the claim.

    \b
    Example: caretally audit claims --practice p1 --kind diverged
    """
    as_of_us, month = instant_option(as_of, "--as-of"), month_option(month)
    if kind is not None and kind not in KINDS:
        fail(f"--kind: expected one of {', '.join(KINDS)}; found {kind[:60]!r}")
    from services.audit.claims import worklist
    from services.audit.forms import item_json
    from services.audit.words import claim_lines

    with opened() as parts:
        wanted = {"practice": practice, "month": month, "as_of": as_of}
        written_down(parts, "audit claims", actor, reason, **wanted)
        found = worklist(parts, practice and [practice], month, as_of_us)
    items = [item for item in found if kind in (None, item.kind)]
    if as_json:
        print_lines(map(item_json, items))
    else:
        print_lines(plain(line).encode() for line in claim_lines(items))
