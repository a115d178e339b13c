"""`caretally subscribers`: from adding to removing, and every refusal in a sentence."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook

from infra.eventstore.deliveries import open_deliveries
from projections.ports import Store
from tests.notify.given import store_them, transition
from tests.receiver import Receiver
from tests.services.command import Command, command, store

__all__ = ["command", "store"]

ALLOWED = {"CARETALLY_WEBHOOKS_ALLOW_PRIVATE": "true"}


def add(command: Command, *options: str, url: str = "https://pager.example/in") -> dict[str, str]:
    ran = command("subscribers", "add", url, "--json", *options, **ALLOWED)
    assert ran.code == 0, ran.err
    (made,) = ran.lines()
    return made


def test_an_added_subscriber_is_listed_and_its_secret_shown_once(command: Command) -> None:
    made = add(command, "--practice", "p1", "--practice", "p2", "--type", "claim.diverged")
    assert made["secret"].startswith("whsec_")
    ran = command("subscribers", "list", "--json")
    (row,) = ran.lines()
    assert row["id"] == made["id"]
    assert (row["state"], row["pending"], row["failed"]) == ("active", 0, 0)
    assert (row["practices"], row["types"]) == (["p1", "p2"], ["claim.diverged"])
    assert made["secret"].encode() not in ran.out + command("subscribers", "list").out


def test_a_subscriber_begins_now_at_an_instant_or_at_the_start(
    command: Command, store: Store
) -> None:
    day_us = 86_400_000_000
    first_us = 1_750_000_000_000_000  # 2025-06-15
    rows = [transition(n + 1, at_us=first_us + n * day_us) for n in range(5)]
    store_them(store, rows)
    for options, after in [
        ([], 5),
        (["--from", "start"], 0),
        (["--from", "2025-06-17T15:06:40Z"], 2),
        (["--from", "2030-01-01T00:00:00Z"], 5),
    ]:
        made = add(command, *options)
        found = {s.id: s.read_through for s in open_deliveries(store).subscribers()}
        assert found[made["id"]] == after


def test_a_test_event_is_signed_and_its_answer_is_the_exit_code(
    command: Command, endpoint: Receiver
) -> None:
    made = add(command, url=endpoint.url)
    ran = command("subscribers", "test", made["id"], **ALLOWED)
    assert (ran.code, ran.out) == (0, b"taken: 204\n")
    (got,) = endpoint.got
    document = Webhook(made["secret"]).verify(got.body, got.headers)
    assert (document["type"], document["data"]) == ("caretally.test.v1", {})
    endpoint.answer = lambda _: (500, {})
    ran = command("subscribers", "test", made["id"], "--json", **ALLOWED)
    assert (ran.code, ran.lines()) == (1, [{"taken": False, "status": 500, "fault": ""}])
    ran = command("subscribers", "test", made["id"])
    assert (ran.code, ran.out) == (
        1,
        b"not taken: the name leads to an address that is not public\n",
    )


def test_pausing_resuming_and_removing(command: Command) -> None:
    id = add(command)["id"]
    for verb, state in [("pause", "paused"), ("resume", "active")]:
        assert command("subscribers", verb, id).code == 0
        assert command("subscribers", "list", "--json").lines()[0]["state"] == state
    assert command("subscribers", "remove", id).code == 0
    assert command("subscribers", "list").out == b""


def test_a_rotated_secret_leaves_the_old_one_for_a_while(command: Command, store: Store) -> None:
    made = add(command)
    (fresh,) = command("subscribers", "rotate", made["id"], "--json").lines()
    (found,) = open_deliveries(store).subscribers()
    assert [s.text for s in found.secrets] == [fresh["secret"], made["secret"]]
    assert [s.expires_at_us is None for s in found.secrets] == [True, False]
    command("subscribers", "rotate", made["id"], "--overlap-hours", "0")
    (found,) = open_deliveries(store).subscribers()
    assert made["secret"] != found.secrets[0].text != fresh["secret"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "http://pager.example/"], "URL: expected https://HOST/PATH"),
        (["add", "https://u:p@pager.example/"], "no user name or password"),
        (["add", "https://pager.example/", "--type", "x"], "--type: expected one of threshold."),
        (["add", "https://pager.example/", "--secret", "hunter2"], "--secret: expected whsec_"),
        (["add", "https://pager.example/", "--from", "June"], "--from: expected an RFC 3339"),
        (["pause", "sub_0"], "no subscriber 'sub_0'; see: caretally subscribers list"),
        (["resume", "sub_0"], "no subscriber"),
        (["test", "sub_0"], "no subscriber"),
        (["rotate", "sub_0"], "no subscriber"),
        (["remove", "sub_0"], "no subscriber"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    command: Command, arguments: list[str], said: str
) -> None:
    ran = command("subscribers", *arguments)
    assert ran.code == 2
    assert said in ran.err
    assert "hunter2" not in ran.err
    assert len(ran.err.splitlines()) == 1
