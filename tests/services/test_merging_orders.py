"""Merged records: any order, repetition and batches come to the same, and so does an export."""

from __future__ import annotations

import json
import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from infra.eventstore import open_store
from tests.services.command import Command
from tests.services.merged import (
    STORY,
    Document,
    Kept,
    call,
    chart,
    merge,
    plain,
    replayed,
    retract,
    void,
)
from tests.thoroughness import examples

FACTS: list[Document] = [
    *STORY,
    *chart("c", 70),
    call("t3", "a", 4, 81),
    call("t4", "b", 8, 82),
    call("t5", "c", 16, 83),
    void("t2", "b", 84),
    retract("log-t3", "a", 85),
    merge("a", "b", at=100),
    merge("b", "c", at=101),
    retract("merge-a-b", "a", 102),
    merge("a", "c", at=103),
    retract("not-merge-a-b", "a", 104),
    merge("b", "a", "wrong", at=99),
    retract("wrong", "b", 105),
]


@given(st.randoms(use_true_random=False), st.data())
@settings(max_examples=examples(60), deadline=None)
def test_any_order_any_repetition_and_any_batches_come_to_the_same(
    chance: random.Random, data: st.DataObject
) -> None:
    """Facts, merges, wrong merges and their voids of three records; nothing of it makes a circle
    in the order of time, and what makes one on the way is left out of all orders."""
    chosen = data.draw(st.sets(st.sampled_from(range(len(FACTS)))))
    facts = [each for n, each in enumerate(FACTS) if n in chosen and each["id"] != "wrong"]
    told = facts + chance.choices(facts, k=5) if facts else []
    chance.shuffle(told)
    kept = Kept(open_store("memory:"))
    while told:
        size = chance.randint(1, 9)
        assert kept.take(*told[:size]) == []
        told = told[size:]
    assert kept.answers() == replayed(facts)
    other = list(facts)
    chance.shuffle(other)
    assert replayed(other) == replayed(facts)


def test_a_replay_of_what_was_exported_carries_nothing_over_twice() -> None:
    from services.wire.encode import to_cloudevent

    kept = Kept(open_store("memory:"))
    kept.take(*STORY, merge("b", "a"), retract("merge-b-a", "b"), merge("b", "a", "m2", 300))
    lines = [to_cloudevent(each) for each in kept.store.log(0, 1000)]
    for order in (lines, lines[::-1]):
        assert kept.answers() == replayed([json.loads(line) for line in order])


def test_an_export_goes_into_another_store_without_what_is_carried_over(tmp_path: Path) -> None:
    """And one of a single patient has it, for the other record is not in it."""
    command = Command(tmp_path)
    story = [*STORY, merge("b", "a"), call("x" * 240, "b", 1, 55)]
    file = tmp_path / "story.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in story))
    assert command("ingest", file).code == 0
    answers = command("assessments").out
    whole = tmp_path / "whole.jsonl"
    whole.write_bytes(command("export").out)
    assert b"!caretally" not in whole.read_bytes()
    (tmp_path / "other").mkdir()
    other = Command(tmp_path / "other")
    assert other("ingest", whole).code == 0
    assert other("assessments").out == answers
    one = tmp_path / "one.jsonl"
    one.write_bytes(command("export", "--patient", "a").out)
    assert one.read_bytes().count(b"!caretally") == 8
    for exported in (whole, one):
        (answer,) = command("replay", exported).lines()
        assert plain(answer) == plain(json.loads(answers))


def test_a_merged_record_says_where_its_history_is(tmp_path: Path) -> None:
    """And the other's packet, audit and rebuild find nothing amiss."""
    command = Command(tmp_path)
    file = tmp_path / "story.jsonl"
    story = [*STORY, merge("b", "a"), retract("merge-b-a", "b"), merge("b", "a", "again", 300)]
    file.write_text("".join(json.dumps(each) + "\n" for each in story))
    assert command("ingest", file).code == 0
    said_of_b = command("explain", "b", "2025-03").out.decode()
    assert "This record was merged into that of a, which has its whole history." in said_of_b
    assert "Charge" not in said_of_b
    assert "t2" not in said_of_b
    assert "t2" in command("explain", "a", "2025-03").out.decode()
    assert command("audit", "verify").code == 0
    assert command("audit", "replay", "--verify").code == 0
    assert command("rebuild").code == 0
    packet = tmp_path / "a.zip"
    assert command("audit", "packet", "a", "2025-03", "-o", packet).code == 0
    assert command("audit", "verify", "--packet", packet).code == 0
