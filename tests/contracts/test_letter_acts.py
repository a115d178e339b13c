"""What people do with letters: kept beside them, once, the same from every store."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.eventstore.letters import open_letters
from infra.eventstore.translated import open_translations
from projections.letters import ActKind, LetterAct, LetterMoved, Waiting
from projections.ports import Batch, Link, Store
from tests.contracts.made import batch, event, letter, stream

AT_US = 1_742_000_000_000_000
ENDS = (ActKind.CORRECTED, ActKind.REPLAYED)


def act(kind: ActKind, letter_id: int = 1, value: bytes | None = None) -> LetterAct:
    return LetterAct(letter_id, kind, "Ada Byron", "a typo\n", AT_US, value)


def do(store: Store, kind: ActKind, letter_id: int = 1) -> None:
    store.commit(Batch(letter_acts=[act(kind, letter_id)]))


def test_a_correction_lies_beside_the_original_which_stays_as_it_was(store: Store) -> None:
    store.add_dead_letters([letter(b"{")])
    (before,) = store.dead_letters()
    done = act(ActKind.CORRECTED, value=b"\xff{}")
    store.commit(batch(event(1), letter_acts=[done], replayed={1: AT_US + 1}))
    (after,) = store.dead_letters()
    assert after == replace(before, replayed_at_us=AT_US)
    assert open_letters(store).acts(1) == [done]
    assert store.head() == 1


@pytest.mark.parametrize("kind", ENDS)
@pytest.mark.parametrize("again", list(ActKind))
def test_a_letter_that_was_taken_is_taken_once_and_nothing_is_done_with_it_any_more(
    store: Store, kind: ActKind, again: ActKind
) -> None:
    """The whole batch is refused: its event too."""
    store.add_dead_letters([letter(b"{")])
    do(store, kind)
    with pytest.raises(LetterMoved):
        store.commit(batch(event(1), letter_acts=[act(again)], replayed={1: AT_US}))
    assert store.head() == 0
    assert [one.kind for one in open_letters(store).acts(1)] == [kind]


def test_a_letter_that_a_command_took_meanwhile_is_not_taken_by_a_person_too(store: Store) -> None:
    store.add_dead_letters([letter(b"{")])
    store.commit(Batch(replayed={1: 5}))
    with pytest.raises(LetterMoved):
        do(store, ActKind.CORRECTED)
    assert open_letters(store).acts(1) == []


def test_a_letter_that_a_person_corrected_is_not_taken_as_it_came_too(store: Store) -> None:
    """A command that read it before marks it afterwards: its whole batch is refused."""
    store.add_dead_letters([letter(b"{"), letter(b"{")])
    do(store, ActKind.CORRECTED)
    do(store, ActKind.REPLAYED, 2)
    with pytest.raises(LetterMoved):
        store.commit(batch(event(1), replayed={1: 5}))
    assert store.head() == 0
    store.commit(batch(event(1), replayed={2: 5}))
    assert [one.replayed_at_us for one in store.dead_letters()] == [AT_US, AT_US]


def test_what_is_set_aside_waits_no_longer_until_it_is_taken_up_again(store: Store) -> None:
    store.add_dead_letters([letter(b"{"), letter(b"[", "file:a:1")])
    letters = open_letters(store)
    do(store, ActKind.SET_ASIDE)
    assert letters.waiting(0, 9) == [Waiting(2, "not-json", "file:a:1")]
    assert [(one.id, one.set_aside_at_us) for one in letters.done(99, 9)] == [(1, AT_US)]
    with pytest.raises(LetterMoved):
        do(store, ActKind.SET_ASIDE)
    do(store, ActKind.TAKEN_UP)
    with pytest.raises(LetterMoved):
        do(store, ActKind.TAKEN_UP)
    assert [one.id for one in letters.waiting(0, 9)] == [1, 2]
    assert store.dead_letters()[0].set_aside_at_us is None
    assert [one.kind for one in letters.acts(1)] == [ActKind.SET_ASIDE, ActKind.TAKEN_UP]


def test_what_is_set_aside_can_be_taken_after_all(store: Store) -> None:
    store.add_dead_letters([letter(b"{")])
    do(store, ActKind.SET_ASIDE)
    do(store, ActKind.REPLAYED)
    assert store.dead_letters()[0].replayed_at_us == AT_US


def test_what_is_set_aside_is_not_released_by_the_identity_it_waited_for(store: Store) -> None:
    """A person decided; a machine does not decide otherwise."""
    store.add_dead_letters([replace(letter(), waits_for="k")] * 2)
    do(store, ActKind.SET_ASIDE)
    store.commit(Batch(links={stream("a"): [Link("k", 5, "s", "1")]}))
    assert [one.id for one in open_translations(store).released(0, 9)] == [2]


@pytest.mark.parametrize("letter_id", [0, -1, 2])
def test_a_letter_that_is_not_there_cannot_be_worked_on(store: Store, letter_id: int) -> None:
    store.add_dead_letters([letter(b"{")])
    with pytest.raises(LetterMoved):
        do(store, ActKind.SET_ASIDE, letter_id)


def test_letters_are_found_by_id_and_pages_end_where_they_are_told(store: Store) -> None:
    store.add_dead_letters([letter(b"%d" % n) for n in range(1, 8)])
    letters = open_letters(store)
    assert [one.value for one in letters.whole([5, 2, 99, 5])] == [b"2", b"5"]
    assert letters.whole([]) == []
    assert [one.id for one in letters.waiting(2, 3)] == [3, 4, 5]
    for number in (2, 4, 6):
        do(store, ActKind.SET_ASIDE, number)
    assert [one.id for one in letters.done(6, 1)] == [4]
    assert [one.id for one in letters.waiting(0, 9)] == [1, 3, 5, 7]
