"""Dead letters put in again: taken once, or left where they are, whatever happens in between."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore import open_store
from infra.eventstore.sqlite import SQLiteStore
from projections.letters import ActKind, LetterAct
from projections.ports import Batch, DeadLetter, Store
from services.dead_letters import (
    Wanted,
    as_replayed,
    as_shown,
    find_letters,
    letter_of,
    replay_letters,
)
from services.ingest import Ingest
from tests.services.test_ingest import chart, logged

NOW_US = 1_742_000_000_000_000
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db")
    yield opened
    opened.close()


def ingest_into(store: Store) -> Ingest:
    return Ingest(store, lambda: NOW_US, BOOK, lambda _: Policy())


def letter(value: bytes | None, origin: str = "file:march.jsonl:1") -> DeadLetter:
    """As an earlier release left it: it did not know the type."""
    sentence = "type: expected an event type of the contract; found 'time.logged.v1'."
    return DeadLetter(origin, "unknown-type", "type", sentence, value, None, (), 1)


def replayed(store: Store, batch_size: int = 100) -> list[tuple[int, bool]]:
    found = list(find_letters(store, Wanted()))
    done = replay_letters(ingest_into(store), found, batch_size)
    return [(each.letter_id, each.rejection is None) for each in done]


def waiting(store: Store) -> list[int]:
    return [each.id for each in find_letters(store, Wanted())]


def test_a_letter_that_is_taken_counts_and_is_kept_with_the_time(store: Store) -> None:
    store.add_dead_letters([letter(value) for value in [*chart(), logged("t1", 1_200)]])
    assert replayed(store) == [(n, True) for n in range(1, 8)]
    (answer,) = map(json.loads, store.assessments())
    assert (answer["status"], answer["stream_version"]) == ("billable", 7)
    assert waiting(store) == []
    assert {each.replayed_at_us for each in store.dead_letters()} == {NOW_US}
    assert [each.value for each in store.dead_letters()] == [*chart(), logged("t1", 1_200)]


def test_a_letter_that_is_refused_again_keeps_its_place_and_is_not_doubled(store: Store) -> None:
    store.add_dead_letters([letter(b"{"), letter(logged("t1", 60)), letter(None)])
    before = store.dead_letters()
    assert replayed(store) == [(1, False), (2, True), (3, False)]
    assert waiting(store) == [1, 3]
    after = store.dead_letters()
    assert after == [before[0], replace(before[1], replayed_at_us=NOW_US), before[2]]
    assert store.head() == 1


def test_a_letter_whose_event_came_in_another_way_is_taken_without_effect(store: Store) -> None:
    """Every repetition inside one batch too: they all wait no longer, and one event is there."""
    store.add_dead_letters([letter(logged("t1", 60))] * 3)
    assert replayed(store) == [(1, True), (2, True), (3, True)]
    store.add_dead_letters([letter(logged("t1", 60))])
    assert replayed(store) == [(4, True)]
    assert (store.head(), waiting(store)) == (1, [])


def test_a_conflict_stays_a_conflict_and_the_first_stands(store: Store) -> None:
    store.add_dead_letters([letter(logged("t1", n, id="same")) for n in (60, 70)])
    assert replayed(store) == [(1, True), (2, False)]
    assert replayed(store) == [(2, False)]
    assert json.loads(next(store.assessments()))["seconds"]["logged"] == 60


def test_batches_of_any_size_take_the_same_letters(store: Store) -> None:
    store.add_dead_letters([letter(v) for v in [*chart(), b"[]", logged("t1", 60)]])
    taken = replayed(store, batch_size=2)
    assert taken == [(n, n != 7) for n in range(1, 9)]


def test_headers_and_key_go_in_as_they_came(store: Store) -> None:
    """A binary message is one again."""
    event = json.loads(logged("t1", 60))
    headers = tuple(
        (f"ce_{name}", event[name].encode())
        for name in ("specversion", "id", "source", "type", "practiceid", "subject", "time")
    )
    data = json.dumps(event["data"]).encode()
    store.add_dead_letters([replace(letter(data), headers=headers, key=b"p1/pt1")])
    assert replayed(store) == [(1, True)]


def test_letters_are_found_by_reason_origin_and_whether_they_wait(store: Store) -> None:
    other = replace(letter(b"{", "kafka:ehr.events.v1/3@17"), reason="not-json")
    store.add_dead_letters([letter(logged("t1", 60)), other])
    store.commit(Batch(replayed={1: 5}))

    def found(**wanted: object) -> list[int]:
        return [each.id for each in find_letters(store, Wanted(**wanted))]  # type: ignore[arg-type]

    assert found() == [2]
    assert found(taken_too=True) == [1, 2]
    assert found(reason="unknown-type") == []
    assert found(reason="unknown-type", taken_too=True) == [1]
    assert found(origin="kafka:ehr.events.v1/3") == [2]
    assert found(origin="kafka:ehr.events.v1/4") == []


def test_more_letters_than_a_page_are_all_found(store: Store) -> None:
    store.add_dead_letters([letter(b"{")] * 250)
    assert waiting(store) == list(range(1, 251))
    found = letter_of(store, 201)
    assert found is not None
    assert found.id == 201
    assert letter_of(store, 251) is None
    assert letter_of(store, 0) is None


def test_bytes_are_shown_as_text_or_base64_and_absent_ones_as_null(store: Store) -> None:
    kept = replace(
        letter(b"\xff\x00"), key="p1/ä".encode(), headers=(("\udcffodd", b"\xc3"), ("a", b""))
    )
    store.add_dead_letters([kept, letter(None)])
    first, second = (as_shown(each, []) for each in store.dead_letters())
    assert first["value"] == {"base64": "/wA="}
    assert first["key"] == {"text": "p1/ä"}
    assert first["headers"] == [
        {"name": "\\udcffodd", "value": {"base64": "ww=="}},
        {"name": "a", "value": {"text": ""}},
    ]
    assert (second["value"], second["key"], second["headers"]) == (None, None, [])
    json.dumps([first, second]).encode()


def test_letters_that_a_person_corrected_meanwhile_count_as_taken_and_hold_up_no_others(
    store: Store,
) -> None:
    store.add_dead_letters([letter(logged(f"t{n}", 60)) for n in (1, 2, 3)])
    found = list(find_letters(store, Wanted()))
    act = LetterAct(2, ActKind.CORRECTED, "Ada Byron", "a typo", NOW_US, logged("t9", 60))
    store.commit(Batch(letter_acts=[act], replayed={2: NOW_US}))
    done = replay_letters(ingest_into(store), found, 10)
    assert [(each.letter_id, each.rejection) for each in done] == [(1, None), (2, None), (3, None)]
    assert store.head() == 2


def test_what_became_of_a_letter_is_told_with_its_reason() -> None:
    store = open_store("memory:")
    store.add_dead_letters([letter(b"{"), letter(logged("t1", 60))])
    refused, taken = map(
        as_replayed, replay_letters(ingest_into(store), store.dead_letters(), batch_size=10)
    )
    assert (refused["id"], refused["taken"], refused["reason"]) == (1, False, "not-json")
    assert taken == {"id": 2, "taken": True, "reason": None, "field": None, "sentence": None}


class Killed(SQLiteStore):
    """Dies at its second commit, just before or just after it is durable."""

    def __init__(self, path: str, after: bool) -> None:
        super().__init__(path)
        self.after, self.commits = after, 0

    def commit(self, batch: Batch) -> None:
        self.commits += 1
        if self.commits == 2 and not self.after:
            os._exit(9)
        super().commit(batch)
        if self.commits == 2:
            os._exit(9)


def replay_and_die(path: str, after: bool) -> None:
    """Run in a process of its own."""
    replayed(Killed(path, after), batch_size=2)


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_between_neither_loses_nor_doubles_a_letter(tmp_path: Path, after: bool) -> None:
    """Event and mark are one transaction: the next run goes on with exactly what is left."""
    path = str(tmp_path / "care.db")
    store = open_store(f"sqlite:///{path}")
    store.add_dead_letters([letter(value) for value in [*chart(), logged("t1", 1_200)]])
    script = "from tests.services.test_dead_letters import replay_and_die as run; "
    died = subprocess.run(
        [sys.executable, "-c", f"{script}run({path!r}, {after})"], cwd=ROOT, check=False
    )
    assert died.returncode == 9
    done = 4 if after else 2
    assert (store.head(), waiting(store)) == (done, list(range(done + 1, 8)))
    assert len(replayed(store)) == 7 - done
    assert (store.head(), waiting(store)) == (7, [])
    (answer,) = map(json.loads, store.assessments())
    assert answer["status"] == "billable"
    store.close()
