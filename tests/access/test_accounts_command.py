"""`caretally accounts` and `caretally tokens`: what they take, print, refuse and write down."""

from __future__ import annotations

import os
import subprocess

import pytest
from starlette.requests import Request
from typer.testing import CliRunner

from infra.eventstore import open_store
from infra.eventstore.accounts import open_accounts
from projections.ports import Store
from services.access.passwords import is_right
from services.access.secrets import digest
from services.audit.access import accesses
from services.cli.main import app
from tests.access.house import PASSWORD
from tests.services.command import START, Command, command, store

__all__ = ["command", "store"]

BILLER = ("--role", "biller", "--practice", "p1")


def add(command: Command, name: str, *options: str, password: str = PASSWORD) -> tuple[int, str]:
    """With the password from a pipe; the exit code and what was said."""
    ours = {n: None for n in os.environ if n.startswith("CARETALLY_")}
    ran = CliRunner().invoke(
        app,
        ["accounts", "add", name, "--stdin", *options],
        env={**ours, "CARETALLY_DATABASE": command.database},
        input=f"{password}\n",
    )
    return ran.exit_code, ran.output


def test_an_account_is_added_listed_changed_and_disabled(command: Command) -> None:
    code, said = add(command, "ann", *BILLER)
    assert (code, PASSWORD in said) == (0, False)
    (row,) = command("accounts", "list", "--json").lines()
    assert {k: row[k] for k in ("name", "roles", "practices", "disabled")} == {
        "name": "ann",
        "roles": ["biller"],
        "practices": ["p1"],
        "disabled": False,
    }
    command("accounts", "role", "ann", "--role", "auditor", "--role", "biller", "--every-practice")
    command("accounts", "disable", "ann")
    (row,) = command("accounts", "list", "--json").lines()
    assert (row["roles"], row["practices"]) == (["auditor", "biller"], None)
    assert row["disabled"]
    assert b"ann  auditor,biller  every practice  disabled" in command("accounts", "list").out
    command("accounts", "enable", "ann")
    (row,) = command("accounts", "list", "--json").lines()
    assert not row["disabled"]


def test_the_password_is_kept_as_an_argon2_hash_and_changes(command: Command, store: Store) -> None:
    add(command, "ann", *BILLER)
    kept = open_accounts(store).account("ann")
    assert kept is not None
    assert kept.password.startswith("$argon2id$")
    assert is_right(kept.password, PASSWORD)
    CliRunner().invoke(
        app,
        ["accounts", "password", "ann", "--stdin"],
        env={"CARETALLY_DATABASE": command.database},
        input="another good one\n",
    )
    kept = open_accounts(store).account("ann")
    assert kept is not None
    assert is_right(kept.password, "another good one")
    assert not is_right(kept.password, PASSWORD)


@pytest.mark.parametrize(
    ("name", "options", "password", "expected"),
    [
        ("Ann", BILLER, PASSWORD, "small letters"),
        ("", BILLER, PASSWORD, "small letters"),
        ("ann", ("--role", "boss", "--practice", "p1"), PASSWORD, "--role: expected coordinator"),
        ("ann", ("--role", "biller"), PASSWORD, "--practice: expected one or more"),
        ("ann", (*BILLER, "--every-practice"), PASSWORD, "--practice: expected one or more"),
        ("ann", BILLER, "short", "password: expected 12 characters"),
        ("ann", BILLER, "x" * 300, "password: expected 12 characters"),
        ("ann", BILLER, "ababababababab", "5 different characters"),
        ("ann", BILLER, "I am Ann, I am", "not the name in it"),
    ],
)
def test_what_cannot_be_taken_is_refused_by_name_and_nothing_is_added(
    command: Command, name: str, options: tuple[str, ...], password: str, expected: str
) -> None:
    code, said = add(command, name, *options, password=password)
    assert code == 2
    assert expected in said
    assert command("accounts", "list", "--json").lines() == []


def test_a_password_is_never_taken_from_the_command_line(command: Command) -> None:
    """There is no such option, and without a terminal it has to be a pipe that was meant."""
    ran = subprocess.run(
        [*START, "accounts", "add", "ann", *BILLER],
        env=command.environment(),
        input=f"{PASSWORD}\n".encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 2
    assert b"with --stdin" in ran.stderr
    assert "--password" not in command("accounts", "add", "--help").out.decode()


def test_an_account_that_nobody_can_use_is_warned_of(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "warning" not in add(command, "ann", *BILLER)[1]
    real = CliRunner.invoke
    with_tokens = {"CARETALLY_HTTP_AUTH": "tokens"}

    def invoke(self, app, args, env, input):  # type: ignore[no-untyped-def]
        return real(self, app, args, env=env | with_tokens, input=input)

    monkeypatch.setattr(CliRunner, "invoke", invoke)
    code, said = add(command, "bob", *BILLER)
    assert (code, "see CARETALLY_HTTP_AUTH" in said) == (0, True)


def test_unknown_accounts_and_names_taken_are_told(command: Command) -> None:
    add(command, "ann", *BILLER)
    code, said = add(command, "ann", *BILLER)
    assert (code, "has an account already" in said) == (2, True)
    for did in ("disable", "enable", "sign-out"):
        ran = command("accounts", did, "eve")
        assert (ran.code, "there is no account 'eve'" in ran.err) == (2, True)


def test_a_token_is_shown_once_and_kept_as_its_digest(command: Command, store: Store) -> None:
    made = command("tokens", "add", "north", "--role", "integrator", "--practice", "p1", "--json")
    (said,) = made.lines()
    assert said["token"].startswith("ctk_")
    listed = command("tokens", "list", "--json")
    (row,) = listed.lines()
    assert (row["id"], row["state"], row["practices"]) == (said["id"], "active", ["p1"])
    assert said["token"] not in listed.out.decode() + command("tokens", "list").out.decode()
    found = open_accounts(store).token(digest(said["token"]))
    assert found is not None
    assert found.expires_at_us - found.added_at_us == 365 * 86_400_000_000


def test_a_revoked_token_is_listed_as_such_and_its_name_is_free(command: Command) -> None:
    options = ("--role", "integrator", "--every-practice", "--days", "30", "--json")
    (said,) = command("tokens", "add", "north", *options).lines()
    again = command("tokens", "add", "north", *options)
    assert (again.code, "another token has the name" in again.err) == (2, True)
    assert command("tokens", "revoke", said["id"]).code == 0
    assert command("tokens", "revoke", said["id"]).code == 2
    assert command("tokens", "add", "north", *options).code == 0
    assert [row["state"] for row in command("tokens", "list", "--json").lines()] == [
        "revoked",
        "active",
    ]


def test_every_change_is_written_down_without_any_secret(command: Command) -> None:
    add(command, "ann", *BILLER, "--actor", "jo", "--reason", "new here")
    command("accounts", "role", "ann", "--role", "auditor", "--every-practice")
    command("accounts", "disable", "ann")
    token = ("--role", "integrator", "--practice", "p1", "--json")
    (said,) = command("tokens", "add", "north", *token).lines()
    command("tokens", "revoke", said["id"])
    opened = open_store(command.database)
    noted = list(accesses(opened))
    opened.close()
    assert [(one.what, one.wanted["name"], one.wanted["did"]) for one in noted] == [
        ("account changed", "ann", "added"),
        ("account changed", "ann", "roles"),
        ("account changed", "ann", "disabled"),
        ("token changed", "north", "added"),
        ("token changed", "north", "revoked"),
    ]
    assert (noted[0].actor, noted[0].reason) == ("jo", "new here")
    assert noted[1].wanted["practices"] == "every practice"
    whole = str(noted)
    assert PASSWORD not in whole
    assert said["token"] not in whole


def test_what_is_no_read_is_exported_as_what_it_is(command: Command, store: Store) -> None:
    """By DICOM's codes: authentication, security alerts, with the outcome of a refusal."""
    from services.access.noting import Notes

    add(command, "ann", *BILLER)
    notes = Notes(store, lambda: 1_750_000_000_000_000)
    connection = Request({"type": "http", "client": ("127.0.0.1", 1), "headers": []})
    notes.signed_in("ann", "account", "ann")
    notes.sign_in_refused(connection, "ann", "account", "wrong name or password")
    notes.refused(connection, "ann", "the right close is not theirs")
    notes.signed_out("ann", everywhere=False)
    exported = command("audit", "access", "export").lines()[:-1]
    found = [
        (e["type"]["code"], e.get("subtype", [{}])[0].get("code"), e["outcome"]) for e in exported
    ]
    assert found == [
        ("110113", "110137", "0"),
        ("110114", "110122", "0"),
        ("110114", "110122", "4"),
        ("110113", None, "4"),
        ("110114", "110123", "0"),
    ]
    assert command("audit", "access", "list", "--patient", "pt1", "--json").lines()[0]["what"] == (
        "audit access export"
    )
