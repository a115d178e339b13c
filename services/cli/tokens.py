"""`caretally tokens`: what feeds and subscribers bring over HTTP."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.access import Actor, Why, changed
from services.cli.bounds import Every, Practices, Roles, bounds_option, practices_text, said
from services.cli.frame import fail, in_utf8, opened, plain, print_json, print_lines, to_json

if TYPE_CHECKING:
    from infra.accounts import ServiceToken

app = typer.Typer(
    name="tokens",
    help="Service tokens: what feeds and subscribers bring over HTTP.\n\n\b\n"
    "Example: caretally tokens list",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(help="What for: the feed or subscriber.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="A token's id.", show_default=False)]
Days = Annotated[int, typer.Option(min=1, max=3650, help="Days until it is not valid any more.")]


@app.command()
def add(
    name: Name,
    role: Roles,
    practice: Practices = None,
    every_practice: Every = False,
    days: Days = 365,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Make a service token and print it: it is not shown again.

    \b
    Example: caretally tokens add north-ehr --role integrator --practice p1 --days 90
    """
    in_utf8(name)
    bounds = bounds_option(role, practice, every_practice)
    with opened() as parts:
        from infra.codec import utc_text
        from infra.eventstore.accounts import open_accounts
        from services.access.tokens import TokenRefused, new_token

        accounts = open_accounts(parts.store)
        try:
            made, secret = new_token(parts.clock, name, bounds, days)
        except TokenRefused as error:
            fail(f"NAME: {error}")
        if any(t.name == name and t.revoked_at_us is None for t in accounts.tokens()):
            fail(f"NAME: another token has the name {plain(name)!r}; see: caretally tokens list")
        changed(parts, "token", actor, reason, name=name, id=made.id, did="added", **said(bounds))
        accounts.add_token(made)
    expires = utc_text(made.expires_at_us)
    if as_json:
        print_json({"id": made.id, "token": secret, "expires_at": expires})
        return
    print(f"id       {made.id}\ntoken    {secret}\nexpires  {expires}")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Print all service tokens: what they may, until when, and when they were last used.

    \b
    Example: caretally tokens list --json
    """
    with opened() as parts:
        from infra.eventstore.accounts import open_accounts

        now_us = parts.clock()
        rows = [_shown(token, now_us) for token in open_accounts(parts.store).tokens()]
    if as_json:
        print_lines(map(to_json, rows))
        return
    for row in rows:
        roles, practices = ",".join(row["roles"]), practices_text(row["practices"])
        used = row["used_at"] or "never used"
        said = f"{row['id']}  {row['state']:<7}  {row['name']}  {roles}  {practices}"
        print(plain(f"{said}  until {row['expires_at']}  {used}"))


@app.command()
def revoke(id: Id, actor: Actor = None, reason: Why = None) -> None:
    """Take a token's validity away, from the next request on.

    \b
    Example: caretally tokens revoke tok_0123456789ab
    """
    in_utf8(id)
    with opened() as parts:
        from infra.eventstore.accounts import open_accounts

        accounts = open_accounts(parts.store)
        found = next((token for token in accounts.tokens() if token.id == id), None)
        if found is None or found.revoked_at_us is not None:
            fail(f"ID: there is no valid token {plain(id[:60])!r}; see: caretally tokens list")
        changed(parts, "token", actor, reason, name=found.name, id=id, did="revoked")
        accounts.revoke(id, parts.clock())
    print(f"{id} is revoked", file=sys.stderr)


def _shown(token: ServiceToken, now_us: int) -> dict[str, Any]:
    from infra.codec import utc_text
    from services.access.tokens import state

    return {
        "id": token.id,
        "name": token.name,
        "state": state(token, now_us),
        "roles": token.bounds.roles,
        "practices": token.bounds.practices,
        "added_at": utc_text(token.added_at_us),
        "expires_at": utc_text(token.expires_at_us),
        "used_at": utc_text(token.used_at_us) if token.used_at_us else None,
        "revoked_at": utc_text(token.revoked_at_us) if token.revoked_at_us else None,
    }
