"""`caretally subscribers`: whom webhooks go to."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.frame import (
    FAILED,
    fail,
    instant_option,
    opened,
    print_json,
    print_lines,
    to_json,
)

if TYPE_CHECKING:
    from projections.deliveries import Deliveries, Subscriber
    from services.bootstrap import Parts

app = typer.Typer(
    name="subscribers",
    help="Whom webhooks go to: signed, retried, each transition at least once.\n\n\b\n"
    "Example: caretally subscribers list",
    no_args_is_help=True,
    rich_markup_mode=None,
)

HOUR_US = 3_600_000_000
START = "start"

Id = Annotated[str, typer.Argument(help="A subscriber's id.", show_default=False)]
Url = Annotated[str, typer.Argument(help="Where to post: https://…", show_default=False)]
Practices = Annotated[
    list[str] | None, typer.Option("--practice", help="Only this practice; may be repeated.")
]
Types = Annotated[
    list[str] | None, typer.Option("--type", help="Only this type of alert; may be repeated.")
]
From = Annotated[
    str | None,
    typer.Option("--from", help="Also what was recorded since this instant, or since the start."),
]
OwnSecret = Annotated[
    str | None, typer.Option("--secret", help="A secret of yours (whsec_…) in place of a new one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overlap = Annotated[
    int, typer.Option(min=0, max=720, help="Hours for which the old secret signs as well.")
]


@contextmanager
def _ledger() -> Iterator[tuple[Parts, Deliveries]]:
    """The parts with the ledger; what cannot be done is told in one line."""
    from infra.eventstore.deliveries import open_deliveries
    from services.notify.subscribing import Refused

    with opened() as parts:
        try:
            yield parts, open_deliveries(parts.store)
        except Refused as error:
            fail(str(error))


@app.command()
def add(
    url: Url,
    practice: Practices = None,
    type: Types = None,
    since: From = None,
    secret: OwnSecret = None,
    as_json: AsJson = False,
) -> None:
    """Add a subscriber and print its id and signing secret: the secret is not shown again.

    It is sent what is recorded from now on, unless --from says otherwise.

    \b
    Example: caretally subscribers add https://pager.example/in --practice p1 --type claim.diverged
    """
    since_us = None if since in (None, START) else instant_option(since, "--from")
    with _ledger() as (parts, ledger):
        from services.notify.subscribing import new_subscriber, position_before

        if since == START:
            after = 0
        elif since_us is not None:
            after = position_before(parts.store, since_us)
        else:
            after = ledger.last_transition()
        allow = parts.settings.webhooks_allow_private
        now_us = parts.clock()
        made = new_subscriber(url, practice or [], type or [], secret, after, now_us, allow)
        ledger.add(made)
    if as_json:
        print_json({"id": made.id, "secret": made.secrets[0].text})
        return
    print(f"id      {made.id}\nsecret  {made.secrets[0].text}")
    print(f"try it: caretally subscribers test {made.id}", file=sys.stderr)


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Print all subscribers: state, what waits, what failed. Secrets are never shown.

    \b
    Example: caretally subscribers list --json
    """
    with _ledger() as (_, ledger):
        rows = [_shown(s, ledger.counts(s.id)) for s in ledger.subscribers()]
    if as_json:
        print_lines(map(to_json, rows))
        return
    for row in rows:
        filters = [*row["practices"], *row["types"]]
        print(
            f"{row['id']}  {row['state']:<8}  {row['pending']:>6} pending  "
            f"{row['failed']:>5} failed  {row['url']}  {' '.join(filters)}"
        )
        if row["reason"]:
            print(f"    {row['reason']}")


def _shown(subscriber: Subscriber, counts: dict[str, int]) -> dict[str, Any]:
    from infra.codec import utc_text

    s = subscriber
    return {
        "id": s.id,
        "url": s.url,
        "state": s.state.value,
        "reason": s.reason,
        "practices": s.practices,
        "types": s.types,
        "pending": counts["pending"],
        "failed": counts["failed"],
        "read_through": s.read_through,
        "secrets": len(s.secrets),
        "added_at": utc_text(s.added_at_us),
        "answered_at": utc_text(s.answered_at_us) if s.answered_at_us else None,
        "held_until": utc_text(s.held_until_us) if s.held_until_us else None,
    }


@app.command("test")
def try_out(id: Id, as_json: AsJson = False) -> None:
    """Send one signed event of the type caretally.test.v1 now; exit 1 if it is not taken.

    \b
    Example: caretally subscribers test sub_0123456789abcdef
    """
    with _ledger() as (parts, ledger):
        from services.notify.subscribing import find, send_test

        allow = parts.settings.webhooks_allow_private
        answer = asyncio.run(send_test(find(ledger, id), parts.clock(), allow))
    taken = 200 <= answer.status < 300
    if as_json:
        print_json({"taken": taken, "status": answer.status, "fault": answer.fault})
    else:
        print(f"{'taken' if taken else 'not taken'}: {answer.words}")
    if not taken:
        raise typer.Exit(FAILED)


@app.command()
def pause(id: Id) -> None:
    """Send nothing until it is resumed; what comes meanwhile is kept for it.

    \b
    Example: caretally subscribers pause sub_0123456789abcdef
    """
    with _ledger() as (_, ledger):
        from projections.deliveries import SubscriberState
        from services.notify.subscribing import find

        ledger.set_state(find(ledger, id).id, SubscriberState.PAUSED, "")
    print(f"{id} is paused", file=sys.stderr)


@app.command()
def resume(id: Id) -> None:
    """Go on after a pause, or after the endpoint was disabled; what failed is sent again.

    \b
    Example: caretally subscribers resume sub_0123456789abcdef
    """
    with _ledger() as (parts, ledger):
        from projections.deliveries import SubscriberState
        from services.notify.subscribing import find

        failed = ledger.requeue(find(ledger, id).id, parts.clock())
        ledger.set_state(id, SubscriberState.ACTIVE, "")
    print(f"{id} is active; {failed:,} that had failed are sent again", file=sys.stderr)


@app.command()
def rotate(
    id: Id, secret: OwnSecret = None, overlap_hours: Overlap = 24, as_json: AsJson = False
) -> None:
    """Give a subscriber a new secret; the old one signs beside it for some hours.

    \b
    Example: caretally subscribers rotate sub_0123456789abcdef --overlap-hours 48
    """
    with _ledger() as (parts, ledger):
        from services.notify.signing import check_secret, new_secret
        from services.notify.subscribing import Refused, find, with_new_secret

        chosen = secret or new_secret()
        try:
            check_secret(chosen)
        except ValueError as error:
            raise Refused(f"--secret: {error}") from None
        overlap_us, now_us = overlap_hours * HOUR_US, parts.clock()
        ledger.set_secrets(id, with_new_secret(find(ledger, id), chosen, overlap_us, now_us))
    if as_json:
        print_json({"id": id, "secret": chosen})
    else:
        print(f"secret  {chosen}")


@app.command()
def remove(id: Id) -> None:
    """Forget a subscriber, its secrets and its ledger.

    \b
    Example: caretally subscribers remove sub_0123456789abcdef
    """
    with _ledger() as (_, ledger):
        from services.notify.subscribing import find

        ledger.remove(find(ledger, id).id)
    print(f"{id} is removed", file=sys.stderr)
