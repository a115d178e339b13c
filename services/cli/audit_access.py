"""`caretally audit access`: who read what of whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.access import Actor, Why, written_down
from services.cli.frame import fail, in_utf8, instant_option, opened, plain, print_lines, to_json
from services.cli.replay import PatientId, PracticeId

if TYPE_CHECKING:
    from projections.ports import Store
    from services.audit.access import Access

app = typer.Typer(no_args_is_help=True)

ORDERS = ("at", "actor", "what", "patient")

By = Annotated[
    str | None, typer.Option("--by", help="Only reads by this actor or user.", callback=in_utf8)
]
From = Annotated[str | None, typer.Option("--from", help="Only reads from this instant on.")]
To = Annotated[str | None, typer.Option("--to", help="Only reads up to this instant.")]
Sort = Annotated[str, typer.Option(help=f"In which order: {', '.join(ORDERS)}.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@app.callback()
def access() -> None:
    """Who read what of whom, when and why. Reads of a panel count for each of its patients.

    \b
    Example: caretally audit access list --patient pt1
    """


@app.command("list")
def list_(
    practice: PracticeId = None,
    patient: PatientId = None,
    by: By = None,
    from_text: From = None,
    to_text: To = None,
    sort: Sort = "at",
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """List reads, oldest first. This is a read too, and is written down before.

    \b
    Example: caretally audit access list --patient pt1 --from 2026-04-01T00:00:00Z
    """
    if sort not in ORDERS:
        fail(f"--sort: expected one of {', '.join(ORDERS)}; found {sort[:60]!r}")
    bounds = instant_option(from_text, "--from"), instant_option(to_text, "--to")
    with opened() as parts:
        wanted = {"practice": practice, "patient": patient, "by": by}
        written_down(parts, "audit access list", actor, reason, **wanted)
        found = _found(parts.store, practice, patient, by, bounds)
        if sort != "at":
            found = iter(sorted(found, key=lambda one: _sorted_by(one, sort)))
        print_lines(to_json(one) if as_json else _line(one).encode() for one in found)


@app.command()
def export(
    practice: PracticeId = None,
    patient: PatientId = None,
    by: By = None,
    from_text: From = None,
    to_text: To = None,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Print reads as FHIR R4 AuditEvents. One resource a line, oldest first.

    \b
    Example: caretally audit access export --from 2026-01-01T00:00:00Z > access.ndjson
    """
    from services.audit.auditevents import audit_event

    bounds = instant_option(from_text, "--from"), instant_option(to_text, "--to")
    with opened() as parts:
        wanted = {"practice": practice, "patient": patient, "by": by}
        written_down(parts, "audit access export", actor, reason, **wanted)
        found = _found(parts.store, practice, patient, by, bounds)
        print_lines(to_json(audit_event(one)) for one in found)


def _found(
    store: Store,
    practice: str | None,
    patient: str | None,
    by: str | None,
    bounds: tuple[int | None, int | None],
) -> Iterator[Access]:
    from msgspec import DecodeError

    from services.audit.access import Looked, accesses

    try:
        yield from filter(Looked(practice, patient, by, *bounds).has, accesses(store))
    except DecodeError:
        fail("the access log holds what was not written by us; see: caretally audit verify")


def _sorted_by(one: Access, order: str) -> tuple[str, int]:
    from services.audit.access import PATIENT

    key = one.wanted.get(PATIENT, "") if order == "patient" else str(getattr(one, order))
    return key, one.number


def _line(one: Access) -> str:
    wanted = " ".join(f"{name}={value}" for name, value in one.wanted.items()) or "everything"
    who = one.actor if one.actor == one.user else f"{one.actor} ({one.user})"
    reason = f"  {one.reason}" if one.reason else ""
    return plain(f"{one.number}  {one.at}  {who}  {one.door} {one.what}  {wanted}{reason}")
