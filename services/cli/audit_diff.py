"""`caretally audit diff`: one month at two instants."""

from __future__ import annotations

from typing import Annotated

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.explain import AsJson, Month, PatientId, Practice
from services.cli.frame import (
    configured,
    fail,
    instant_option,
    month_option,
    opened,
    plain,
    print_lines,
)
from services.cli.replay import Policies, policies

From = Annotated[
    str, typer.Option("--from", help="The earlier instant, RFC 3339.", show_default=False)
]
To = Annotated[str, typer.Option("--to", help="The later instant, RFC 3339.", show_default=False)]


def diff(
    patient: PatientId,
    month: Month,
    from_text: From,
    to_text: To,
    practice: Practice = None,
    policy: Policies = None,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Show what changed a month between two instants. Both answers, and each event in between.

    An event made the difference if it changed the answer when it came, or if the later answer
    would be another without it. Who said it, when, and why stand beside it.

    \b
    Example: caretally audit diff pt1 2026-03 --from 2026-04-01T00:00:00Z --to 2026-05-01T00:00:00Z
    """
    from_us, to_us = instant_option(from_text, "--from"), instant_option(to_text, "--to")
    month = month_option(month, "MONTH") or ""
    assert from_us is not None
    assert to_us is not None
    if from_us > to_us:
        fail(f"--from: expected an instant not after --to; found {from_text[:60]!r}")
    settings = configured()
    policy_of = policies(settings, policy or [])
    from infra.codec import instant_text
    from services.audit.difference import difference
    from services.audit.forms import difference_json
    from services.audit.words import difference_lines
    from services.histories import Unanswerable, history_of

    with opened(settings) as parts:
        wanted = {"practice": practice, "patient": patient, "month": month}
        written_down(parts, "audit diff", actor, reason, **wanted, to=to_text)
        try:
            history = history_of(parts.store, practice, patient, to_us)
        except Unanswerable as error:
            fail(f"{error}{' (--practice)' if error.field == 'practice' else ''}")
        chosen = policy_of(history.practice_id)
        found = difference(history, month, from_us, to_us, parts.book, chosen)
    told = (found, instant_text(from_us), instant_text(to_us))
    if as_json:
        print_lines([difference_json(*told)])
    else:
        print_lines(plain(line).encode() for line in difference_lines(*told))
