"""`caretally audit`: what an auditor asks of the log."""

from __future__ import annotations

import typer

from services.cli import (
    audit_access,
    audit_claims,
    audit_diff,
    audit_packet,
    audit_replay,
    audit_seal,
    audit_verify,
    audit_what_if,
)

app = typer.Typer(no_args_is_help=True)


@app.callback()
def audit() -> None:
    """Answer an auditor from the log: what was known when, and what changed it.

    \b
    Example: caretally audit --help
    """


app.command()(audit_diff.diff)
app.command()(audit_claims.claims)
app.command()(audit_packet.packet)
app.command()(audit_what_if.what_if)
app.add_typer(audit_access.app, name="access")
app.command()(audit_seal.keygen)
app.command()(audit_seal.checkpoint)
app.command()(audit_verify.verify)
app.command()(audit_seal.prove)
app.command()(audit_replay.replay)
