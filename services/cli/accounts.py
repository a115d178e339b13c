"""`caretally accounts`: people who sign in with a password."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli.access import Actor, Why, changed
from services.cli.bounds import Every, Practices, Roles, bounds_option, practices_text, said
from services.cli.frame import fail, in_utf8, opened, plain, print_json, print_lines, to_json

if TYPE_CHECKING:
    from infra.accounts import Account, Accounts
    from services.bootstrap import Parts

app = typer.Typer(
    name="accounts",
    help="People who sign in with a password, where no provider signs them in.\n\n\b\n"
    "Example: caretally accounts list",
    no_args_is_help=True,
    rich_markup_mode=None,
)

NAME_FORM = "1 to 64 small letters, digits, dots, dashes, underscores and @"
NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-@")

Name = Annotated[str, typer.Argument(help="The account's name.", show_default=False)]
Stdin = Annotated[
    bool, typer.Option("--stdin", help="Read the password from standard input, one line.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@contextmanager
def _accounts() -> Iterator[tuple[Parts, Accounts]]:
    from infra.eventstore.accounts import open_accounts

    with opened() as parts:
        yield parts, open_accounts(parts.store)


@app.command()
def add(
    name: Name,
    role: Roles,
    practice: Practices = None,
    every_practice: Every = False,
    stdin: Stdin = False,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Add an account. Its password is asked for at the terminal, twice.

    From the first account on nobody gets in over HTTP without signing in.

    \b
    Example: caretally accounts add ann --role coordinator --practice p1
    """
    in_utf8(name)
    if not 1 <= len(name) <= 64 or not set(name) <= NAME_CHARS:
        fail(f"NAME: expected {NAME_FORM}; found {plain(name[:60])!r}")
    bounds = bounds_option(role, practice, every_practice)
    with _accounts() as (parts, accounts):
        from infra.accounts import Account

        if accounts.account(name) is not None:
            fail(f"NAME: {name} has an account already; see: caretally accounts role --help")
        made = Account(name, _hashed(name, stdin), bounds, parts.clock())
        changed(parts, "account", actor, reason, name=name, did="added", **said(bounds))
        if not accounts.add_account(made):
            fail(f"NAME: {name} has an account already")
        if not parts.settings.takes_passwords:
            said_of = "with these settings nobody signs in by local accounts"
            print(f"warning: {said_of}; see CARETALLY_HTTP_AUTH", file=sys.stderr)
    _tell(made, as_json, "added")


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """Print all accounts with their roles and practices.

    \b
    Example: caretally accounts list --json
    """
    with _accounts() as (_, accounts):
        rows = [_shown(account) for account in accounts.accounts()]
    if as_json:
        print_lines(map(to_json, rows))
        return
    for row in rows:
        print(_line(row))


@app.command()
def role(
    name: Name,
    role: Roles,
    practice: Practices = None,
    every_practice: Every = False,
    as_json: AsJson = False,
    actor: Actor = None,
    reason: Why = None,
) -> None:
    """Give an account these roles and practices in place of those it has; holds at once.

    \b
    Example: caretally accounts role ann --role biller --role coordinator --practice p1
    """
    bounds = bounds_option(role, practice, every_practice)
    with _accounts() as (parts, accounts):
        _find(accounts, name)
        changed(parts, "account", actor, reason, name=name, did="roles", **said(bounds))
        accounts.set_bounds(name, bounds)
        _tell(_find(accounts, name), as_json, "changed")


@app.command()
def disable(name: Name, actor: Actor = None, reason: Why = None) -> None:
    """End an account's sessions at once and let it sign in no more.

    \b
    Example: caretally accounts disable ann
    """
    _set_disabled(name, True, actor, reason)


@app.command()
def enable(name: Name, actor: Actor = None, reason: Why = None) -> None:
    """Let a disabled account sign in again.

    \b
    Example: caretally accounts enable ann
    """
    _set_disabled(name, False, actor, reason)


def _set_disabled(name: str, disabled: bool, actor: str | None, reason: str | None) -> None:
    did = "disabled" if disabled else "enabled"
    with _accounts() as (parts, accounts):
        _find(accounts, name)
        changed(parts, "account", actor, reason, name=name, did=did)
        accounts.set_disabled(name, disabled)
    print(f"{name} is {did}", file=sys.stderr)


@app.command()
def password(name: Name, stdin: Stdin = False, actor: Actor = None, reason: Why = None) -> None:
    """Give an account a new password, asked for at the terminal, and end its sessions.

    \b
    Example: caretally accounts password ann
    """
    with _accounts() as (parts, accounts):
        _find(accounts, name)
        made = _hashed(name, stdin)
        changed(parts, "account", actor, reason, name=name, did="password")
        accounts.set_password(name, made)
    print(f"{name} has a new password", file=sys.stderr)


@app.command("sign-out")
def sign_out(name: Name, actor: Actor = None, reason: Why = None) -> None:
    """End every session of an account.

    \b
    Example: caretally accounts sign-out ann
    """
    with _accounts() as (parts, accounts):
        _find(accounts, name)
        changed(parts, "account", actor, reason, name=name, did="signed out")
        ended = accounts.end_all("account", name)
    print(f"{ended} sessions of {name} ended", file=sys.stderr)


def _hashed(name: str, stdin: bool) -> str:
    """The hash of a password that somebody types, never of one on the command line."""
    from services.access.passwords import WeakPassword, hashed

    if stdin:
        given = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        given = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        fail("the password is asked for at a terminal; with --stdin it is read from a pipe")
    try:
        return hashed(name, given)
    except WeakPassword as error:
        fail(f"password: {error}")


def _find(accounts: Accounts, name: str) -> Account:
    in_utf8(name)
    found = accounts.account(name)
    if found is None:
        fail(f"NAME: there is no account {plain(name[:60])!r}; see: caretally accounts list")
    return found


def _shown(account: Account) -> dict[str, Any]:
    from infra.codec import utc_text

    return {
        "name": account.name,
        "roles": account.bounds.roles,
        "practices": account.bounds.practices,
        "disabled": account.disabled,
        "added_at": utc_text(account.added_at_us),
    }


def _line(row: dict[str, Any]) -> str:
    off = "  disabled" if row["disabled"] else ""
    return plain(
        f"{row['name']}  {','.join(row['roles'])}  {practices_text(row['practices'])}{off}"
    )


def _tell(account: Account, as_json: bool, did: str) -> None:
    if as_json:
        print_json(_shown(account))
        return
    print(_line(_shown(account)))
    print(f"{did}", file=sys.stderr)
