"""Identities, what was taken of resources, and letters that wait: the same from every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.eventstore.translated import open_translations
from projections.ports import Batch, Link, Store, StreamMoved, TakenResource
from projections.translated import identity_key
from tests.contracts.made import batch, event, letter, stream

KEY, OTHER = identity_key("p1", "urn:oid:1", "7"), identity_key("p1", "urn:oid:1", "8")


def link(store: Store, patient: str, *links: Link) -> None:
    store.commit(Batch(links={stream(patient): list(links)}))


def test_an_identifier_means_the_patient_whose_link_was_said_last(store: Store) -> None:
    known = open_translations(store)
    assert known.patients([KEY]) == {}
    link(store, "a", Link(KEY, 5, "s", "1"), Link(OTHER, 5, "s", "2"))
    link(store, "b", Link(KEY, 5, "s", "3"))
    assert known.patients([KEY, OTHER, "x"]) == {KEY: "p1/b", OTHER: "p1/a"}
    link(store, "c", Link(KEY, 4, "z", "9"))
    assert known.patients([KEY]) == {KEY: "p1/b"}
    link(store, "b")
    assert known.patients([KEY]) == {KEY: "p1/a"}


def test_many_keys_are_found_at_once(store: Store) -> None:
    link(store, "a", *(Link(f"k{n}", 1, "s", "1") for n in range(900)))
    assert len(open_translations(store).patients([f"k{n}" for n in range(1000)])) == 900


def test_a_resource_is_kept_as_it_was_taken_last(store: Store) -> None:
    known = open_translations(store)
    store.commit(Batch(resources=[TakenResource("r", 1, b"[1]"), TakenResource("q", 1, b"[]")]))
    store.commit(Batch(resources=[TakenResource("r", 2, b"[2]")]))
    assert known.resources(["r", "q", "p"]) == {
        "r": TakenResource("r", 2, b"[2]"),
        "q": TakenResource("q", 1, b"[]"),
    }


@pytest.mark.parametrize("revision", [1, 3])
def test_a_writer_that_was_overtaken_writes_nothing(store: Store, revision: int) -> None:
    store.commit(Batch(resources=[TakenResource("r", 1, b"[1]")]))
    late = batch(event(1), resources=[TakenResource("r", revision, b"x")], tracking={"feed/0": 1})
    with pytest.raises(StreamMoved):
        store.commit(late)
    assert (store.head(), store.tracking("feed/0")) == (0, None)
    assert open_translations(store).resources(["r"])["r"].body == b"[1]"


def test_letters_are_released_by_the_identity_they_wait_for_and_by_nothing_else(
    store: Store,
) -> None:
    waits = [replace(letter(), waits_for=key) for key in (KEY, OTHER, "", KEY)]
    store.add_dead_letters(waits)
    known = open_translations(store)
    assert known.released(0, 9) == []
    link(store, "a", Link(KEY, 5, "s", "1"))
    assert [dead.id for dead in known.released(0, 9)] == [1, 4]
    assert [dead.id for dead in known.released(1, 9)] == [4]
    assert [dead.id for dead in known.released(0, 1)] == [1]
    assert [dead.id for dead in known.waiting(OTHER, 0, 9)] == [2]
    store.commit(Batch(replayed={1: 5}))
    assert [dead.id for dead in known.released(0, 9)] == [4]
    assert store.dead_letters()[3].waits_for == KEY


def test_a_letter_that_waits_for_something_else_now_says_so_and_keeps_its_bytes(
    store: Store,
) -> None:
    store.add_dead_letters([replace(letter(), waits_for=KEY), replace(letter(), waits_for=KEY)])
    said = replace(
        letter(b"other bytes"), reason="imprecise-date", field="x", sentence="A day.", waits_for=""
    )
    store.commit(Batch(replayed={2: 5}))
    store.commit(Batch(refused_again={1: said, 2: said}))
    first, second = store.dead_letters()
    assert first == replace(said, id=1, value=letter().value)
    assert second.reason == letter().reason
    link(store, "a", Link(KEY, 5, "s", "1"))
    assert open_translations(store).released(0, 9) == []
