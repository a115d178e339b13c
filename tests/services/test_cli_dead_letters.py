"""`caretally dead-letters`: list, show and put in again, with exit codes that tell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from projections.ports import DeadLetter, Store
from tests.services.command import Command, command, store
from tests.services.test_ingest import chart, logged

__all__ = ["command", "store"]

RECEIVED_US = 1_742_000_000_000_000


def letter(value: bytes | None, reason: str = "unknown-type", origin: str = "http") -> DeadLetter:
    sentence = "type: expected an event type of the contract; found 'x'."
    return DeadLetter(origin, reason, "type", sentence, value, None, (), RECEIVED_US)


@pytest.fixture
def letters(command: Command, store: Store) -> Command:
    """Four that an earlier release did not know, and one that no release will take."""
    good = [letter(line) for line in (*chart()[:3], logged("t1", 60))]
    store.add_dead_letters([*good, letter(b"{oops", "not-json", "kafka:ehr.events.v1/3@17")])
    return command


def test_letters_are_listed_with_when_whence_and_why(letters: Command) -> None:
    lines = letters("dead-letters", "list").out.decode().splitlines()
    assert len(lines) == 5
    assert lines[4].split("  ") == [
        "5",
        "2025-03-15T00:53:20Z",
        "kafka:ehr.events.v1/3@17",
        "not-json",
        "type",
        "type: expected an event type of the contract; found 'x'.",
    ]
    assert letters("dead-letters", "list", "--json").lines()[4] == {
        "id": 5,
        "received_at": "2025-03-15T00:53:20Z",
        "origin": "kafka:ehr.events.v1/3@17",
        "reason": "not-json",
        "field": "type",
        "sentence": "type: expected an event type of the contract; found 'x'.",
        "replayed_at": None,
        "set_aside_at": None,
    }


def test_letters_can_be_narrowed_by_reason_and_origin(letters: Command) -> None:
    def ids(*args: str) -> list[int]:
        return [a["id"] for a in letters("dead-letters", "list", "--json", *args).lines()]

    assert ids("--reason", "not-json") == [5]
    assert ids("--origin", "http") == [1, 2, 3, 4]
    assert ids("--origin", "http", "--reason", "not-json") == []


def test_replay_takes_what_is_good_now_and_keeps_the_rest(letters: Command) -> None:
    """As a user meets it: exit code 1 because one was refused again, and that one still waits."""
    ran = letters.start("dead-letters", "replay", "--all")
    assert (ran.code, ran.out) == (1, b"")
    assert "5: refused again: not-json" in ran.err
    assert "4 taken, 1 refused again" in ran.err
    assert letters("assessments").lines()[0]["seconds"]["logged"] == 60
    assert [a["id"] for a in letters("dead-letters", "list", "--json").lines()] == [5]
    kept = letters("dead-letters", "list", "--all", "--json").lines()
    assert [a["replayed_at"] is None for a in kept] == [False] * 4 + [True]
    assert letters("dead-letters", "list", "--all").out.count(b"(taken since)") == 4
    again = letters("dead-letters", "replay", "--all")
    assert (again.code, "0 taken, 1 refused again" in again.err) == (1, True)


def test_replay_by_reason_and_by_id_leaves_the_others_alone(letters: Command) -> None:
    by_id = letters("dead-letters", "replay", "4", "2", "4", "--json")
    assert by_id.code == 0
    assert [(a["id"], a["taken"]) for a in by_id.lines()[:-1]] == [(4, True), (2, True)]
    assert by_id.lines()[-1] == {"summary": {"taken": 2, "refused": 0}}
    assert [a["id"] for a in letters("dead-letters", "list", "--json").lines()] == [1, 3, 5]
    known = letters("dead-letters", "replay", "--reason", "unknown-type")
    assert (known.code, "2 taken, 0 refused again" in known.err) == (0, True)
    taken = letters("dead-letters", "replay", "4", "--json")
    assert (taken.code, taken.lines()) == (0, [{"summary": {"taken": 0, "refused": 0}}])
    assert "4: was taken at 2" in taken.err


def test_a_refusal_is_told_as_json_with_its_reason_of_today(letters: Command) -> None:
    result, summary = letters("dead-letters", "replay", "5", "--json").lines()
    assert (result["id"], result["taken"], result["reason"], result["field"]) == (
        5,
        False,
        "not-json",
        "",
    )
    assert summary == {"summary": {"taken": 0, "refused": 1}}


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["show", "9"], "there is no dead letter 9"),
        (["show", "0"], "greater than or equal to 1"),
        (["show", "1", "--raw", "--json"], "--raw and --json: expected one of them"),
        (["replay"], "expected letters' ids, --all or --reason"),
        (["replay", "1", "--all"], "expected letters' ids, --all or --reason"),
        (["replay", "--all", "--reason", "not-json"], "expected letters' ids, --all or --reason"),
        (["replay", "--reason", "bad"], "--reason: expected one of too-large, not-json"),
        (["list", "--reason", "bad"], "--reason: expected one of too-large, not-json"),
        (["replay", "1", "9"], "there is no dead letter 9"),
    ],
)
def test_bad_usage_is_told_and_nothing_is_put_in(
    letters: Command, store: Store, args: list[str], sentence: str
) -> None:
    ran = letters("dead-letters", *args)
    assert (ran.code, ran.out) == (2, b"")
    assert sentence in ran.err
    assert store.head() == 0


def test_a_letter_is_shown_whole(command: Command, store: Store) -> None:
    odd = replace(letter(b"{\x00\xff"), key=b"p1/pt1", headers=(("ce_id", b"e1"), ("raw", b"\xfe")))
    store.add_dead_letters([odd, letter('{"ä":\n1}'.encode()), letter(None)])
    binary = command("dead-letters", "show", "1").out.decode()
    assert "p1/pt1" in binary
    assert "ce_id: e1" in binary
    assert "raw: base64 /g==" in binary
    assert "3 bytes, in base64\n\newD/\n" in binary
    assert command("dead-letters", "show", "1", "--raw").out == b"{\x00\xff"
    whole = command("dead-letters", "show", "1", "--json").lines()[0]
    assert (whole["value"], whole["key"]) == ({"base64": "ewD/"}, {"text": "p1/pt1"})
    text = command("dead-letters", "show", "2")
    assert text.out.decode().endswith('9 bytes, in text\n\n{"ä":\n1}\n')
    assert "none" in command("dead-letters", "show", "3").out.decode()
    assert command("dead-letters", "show", "3", "--raw").out == b""


def test_nothing_a_sender_wrote_reaches_the_terminal_as_a_command(
    command: Command, store: Store
) -> None:
    """Escapes, bells and line ends in values, names and origins are shown, not obeyed."""
    evil = "\x1b[2Jx\u202ey\r"
    store.add_dead_letters(
        [
            replace(
                letter(json.dumps(evil, ensure_ascii=False).encode(), origin=f"file:{evil}:1"),
                key=evil.encode(),
                headers=((evil, evil.encode()),),
            )
        ]
    )
    for args in (["list"], ["show", "1"]):
        out = command("dead-letters", *args).out.decode()
        assert not {"\x1b", "\u202e", "\r"} & set(out)
        assert "\\x1b[2Jx" in out
