"""What every store promises to projections that cross patients."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra.eventstore import open_store
from infra.eventstore.projected import open_projected
from projections.ports import Batch, PositionPassed, ProjectedRow, ReadModelsMoved, Store
from projections.projected import Stretch, place, pointer
from tests.contracts.made import assessment, batch, event, transition

WORK = "staff.work"


def row(
    at: int = 1, key: str = "k", body: bytes | None = b"x", part: str = "a", generation: int = 0
) -> ProjectedRow:
    return ProjectedRow(WORK, generation, part, at, key, body)


def all_rows(store: Store, generation: int = 0) -> list[ProjectedRow]:
    everything = [Stretch(part, -(10**12), 10**12) for part in ("a", "b", "ä/'%")]
    return open_projected(store).rows(WORK, generation, everything)


def test_rows_are_written_replaced_and_taken_away(store: Store) -> None:
    """Taken away and written anew in one batch: it is there."""
    store.commit(Batch(projected=[row(1), row(2), row(3)]))
    store.commit(Batch(projected=[row(1, body=b"y"), row(2, body=None), row(3, body=None), row(3)]))
    assert all_rows(store) == [row(1, body=b"y"), row(3)]


def test_stretches_are_read_with_both_ends_and_each_row_once(store: Store) -> None:
    rows = [row(at, key) for at in (-5, 10, 20, 2**40) for key in ("k", "l")]
    store.commit(Batch(projected=[*rows, row(10, part="b"), row(10, generation=1)]))
    port = open_projected(store)
    assert port.rows(WORK, 0, [Stretch("a", 10, 20)]) == rows[2:6]
    assert port.rows(WORK, 0, [Stretch("a", -5, 10), Stretch("a", 10, 20)]) == rows[:6]
    assert port.rows(WORK, 0, [Stretch("a", 11, 19)]) == []
    assert port.rows(WORK, 0, []) == []
    assert port.rows("other", 0, [Stretch("a", 10, 20)]) == []


def test_any_text_and_any_bytes_come_back(store: Store) -> None:
    odd = row(0, key='["ü",\'?%s]', body=b"\x00\xff", part="ä/'%")
    store.commit(Batch(projected=[odd]))
    assert all_rows(store) == [odd]


def test_a_batch_made_for_another_place_in_the_log_is_refused_whole(store: Store) -> None:
    feed = place("staff", 0)
    store.commit(Batch(projected=[row(1)], tracking={feed: 5}, expected={feed: 0}))
    for expected in (0, 4, 6):
        late = Batch(projected=[row(2)], tracking={feed: 9}, expected={feed: expected})
        with pytest.raises(PositionPassed):
            store.commit(replace(late, transitions=[transition(1)]))
    assert all_rows(store) == [row(1)]
    assert store.tracking(feed) == 5
    assert store.transitions(0, 10) == []
    store.commit(Batch(tracking={feed: 9}, expected={feed: 5}))
    assert store.tracking(feed) == 9


def test_readers_see_the_generation_that_is_live(store: Store) -> None:
    old, new = [row(1), row(1, part="b")], [row(2, generation=3)]
    store.commit(Batch(projected=[*old, *new]))
    port = open_projected(store)
    assert port.live_rows("staff", WORK) == old
    assert port.live_rows("staff", WORK, "b") == old[1:]
    store.commit(Batch(tracking={pointer("staff"): 3}))
    assert port.live_rows("staff", WORK) == new
    port.drop([WORK], 3)
    assert all_rows(store, 0) == []
    assert all_rows(store, 3) == new


def test_rows_that_are_not_in_both_generations_are_counted(store: Store) -> None:
    same = [row(1), row(1, generation=1)]
    changed = [row(2), row(2, body=b"y", generation=1)]
    store.commit(Batch(projected=[*same, *changed, row(3), row(4, generation=1)]))
    assert open_projected(store).differing([WORK], 0, 1) == 4
    assert open_projected(store).differing([WORK], 1, 1) == 0


def test_alerts_and_answers_are_read_for_some_patients(store: Store) -> None:
    store.commit(
        batch(
            event(1),
            event(1, "pt2"),
            assessments=[assessment(), assessment(month="2025-01"), assessment("pt2")],
            transitions=[transition(1), transition(2), transition(1, "pt2", "b1")],
        )
    )
    port = open_projected(store)
    found = port.standings({("p1/pt1", "a1"), ("p1/pt1", "none"), ("p1/pt2", "a1")})
    assert {name: (state.transition, state.raised) for name, state in found.items()} == {
        "a1": (2, False)
    }
    assert port.answers(["p1/pt1", "p1/pt9"]) == [assessment(month="2025-01"), assessment()]


def test_rows_made_by_rules_that_were_replaced_are_refused(durable_url: str) -> None:
    """A writer may go by its own rules and those it found; others came in when it does not know
    the live ones. Whatever holds no assessment is taken."""
    from infra.eventstore.rebuilding import open_rebuilding

    store = open_store(durable_url)
    mine = frozenset({"", "rules a"})
    store.commit(batch(event(1), assessments=[assessment()], makings=mine))
    port = open_rebuilding(store)
    begun = port.begin("rules b")
    assert port.switch(begun, lambda _: [], lambda _: 0, 10)
    with pytest.raises(ReadModelsMoved):
        store.commit(batch(event(2), assessments=[assessment()], makings=mine))
    store.commit(batch(event(2), makings=mine))
    newer = frozenset({"rules b", "rules c"})
    store.commit(batch(event(3), assessments=[assessment()], makings=newer))
    assert store.head() == 3
    store.close()
