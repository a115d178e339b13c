"""What every store promises of a batch, whatever lies under it: whole or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra import codec
from infra.eventstore import open_store
from projections.ports import (
    Batch,
    KeysTaken,
    PositionPassed,
    Store,
    StreamMoved,
)
from tests.contracts.made import (
    assessment,
    batch,
    contents,
    event,
    letter,
    snapshot,
    stream,
    transition,
)


def test_a_batch_becomes_visible_whole(store: Store) -> None:
    """Events, versions, assessments, transitions, dead letters and position come together."""
    store.commit(
        batch(
            event(1),
            event(2),
            assessments=[assessment()],
            transitions=[transition(1)],
            dead_letters=[letter()],
            tracking={"feed/0": 7},
        )
    )
    assert [(e.stream_id, e.version, e.position) for e in store.log(0, 10)] == [
        ("p1/pt1", 1, 1),
        ("p1/pt1", 2, 2),
    ]
    assert store.log(0, 10)[0] == event(1)._replace(position=1)
    assert store.versions() == {"p1/pt1": 2}
    assert len(list(store.assessments())) == 1
    assert [t.position for t in store.transitions(0, 10)] == [1]
    assert [dead.id for dead in store.dead_letters()] == [1]
    assert store.tracking("feed/0") == 7
    assert store.counts() == {
        "patients": 1,
        "events": 2,
        "assessments": 1,
        "transitions": 1,
        "dead_letters": 1,
    }


def test_an_empty_store_answers_empty(store: Store) -> None:
    assert store.log(0, 10) == []
    assert store.head() == 0
    assert store.tracking("feed/0") is None
    assert store.delivered("webhook") == 0
    assert list(store.assessments()) == []
    unknown = store.load(["p1/nobody"])["p1/nobody"]
    assert (unknown.snapshot, unknown.events, unknown.alerts) == (None, [], [])
    assert set(store.counts().values()) == {0}


def full(*events: object, **parts: object) -> Batch:
    """A batch that would change every part of the store."""
    given = {
        "assessments": [assessment(month="2025-04")],
        "removed_months": [(stream(), "2025-03")],
        "transitions": [transition(2)],
        "dead_letters": [letter()],
        "snapshots": [snapshot(3)],
        "tracking": {"feed/0": 9, "feed/1": 1},
    }
    return batch(*events, **(given | parts))  # type: ignore[arg-type]


REFUSED = {
    "stream version taken": (full(event(2, id="new"), event(3)), StreamMoved),
    "stream version taken, last of many": (full(event(3), event(1, id="x")), StreamMoved),
    "key taken": (full(event(1, "pt2"), event(2, "pt2", id="pt1-1")), KeysTaken),
    "key twice in the batch": (full(event(1, "pt2", "n"), event(1, "pt3", "n")), KeysTaken),
    "version twice in the batch": (full(event(3), event(3, id="n")), StreamMoved),
    "position repeated": (full(event(3), tracking={"feed/0": 7}), PositionPassed),
    "position passed": (full(event(3), tracking={"feed/1": 3, "feed/0": 6}), PositionPassed),
    "assessed too early": (full(versions={stream(): 1}), StreamMoved),
    "transition decided before": (full(event(3), transitions=[transition(1)]), StreamMoved),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_batch_writes_nothing_at_all(store: Store, refused: str) -> None:
    """Part by part the store answers as if the batch had never been."""
    store.commit(
        batch(
            event(1),
            event(2),
            assessments=[assessment()],
            transitions=[transition(1)],
            tracking={"feed/0": 7},
        )
    )
    before = contents(store)
    bad, error = REFUSED[refused]
    with pytest.raises(error):
        store.commit(bad)
    assert contents(store) == before


def test_an_outage_in_the_middle_of_a_batch_writes_nothing_at_all(durable_url: str) -> None:
    """A value that the database itself refuses, in the last table, undoes all before it."""
    store = open_store(durable_url)
    store.commit(batch(event(1)))
    before = contents(store)
    bad = replace(letter(), received_at_us=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null") as caught:
        store.commit(full(event(2), dead_letters=[letter(), bad]))
    assert not isinstance(caught.value, StreamMoved | KeysTaken | PositionPassed)
    assert contents(store) == before
    store.close()


def test_taken_keys_name_the_stream_that_holds_them(store: Store) -> None:
    store.commit(batch(event(1, "pt1", "a"), event(1, "pt2", "b")))
    with pytest.raises(KeysTaken) as caught:
        store.commit(batch(event(1, "pt3", "a"), event(2, "pt3", "b"), event(3, "pt3", "c")))
    assert caught.value.taken == {
        codec.event_key("urn:test:ehr", "a"): "p1/pt1",
        codec.event_key("urn:test:ehr", "b"): "p1/pt2",
    }


def test_it_is_told_which_streams_have_a_key_and_unknown_ones_left_out(store: Store) -> None:
    store.commit(batch(event(1, "pt1", "a"), event(2, "pt1", "b"), event(1, "pt2", "c")))
    asked = [codec.event_key("urn:test:ehr", name) for name in "acx"]
    assert store.holders(asked) == {asked[0]: "p1/pt1", asked[1]: "p1/pt2"}
    assert store.holders([]) == {}


def test_a_key_given_twice_in_one_batch_names_the_first_stream(store: Store) -> None:
    with pytest.raises(KeysTaken) as caught:
        store.commit(batch(event(1, "pt1", "a"), event(1, "pt2", "a")))
    assert caught.value.taken == {codec.event_key("urn:test:ehr", "a"): "p1/pt1"}


def test_a_repeated_batch_says_position_passed_before_anything_else(store: Store) -> None:
    """A redelivery is told as one, not as a conflict of writers."""
    redelivered = full(event(1))
    store.commit(redelivered)
    with pytest.raises(PositionPassed):
        store.commit(redelivered)


def test_feeds_are_tracked_apart_and_from_position_zero(store: Store) -> None:
    store.commit(batch(tracking={"feed/0": 0}))
    store.commit(batch(tracking={"feed/1": 5}))
    assert (store.tracking("feed/0"), store.tracking("feed/1")) == (0, 5)
    with pytest.raises(PositionPassed):
        store.commit(batch(tracking={"feed/0": 0}))


def test_a_stream_comes_back_in_order_of_version(store: Store) -> None:
    store.commit(batch(event(2), event(1), event(1, "pt2")))
    store.commit(batch(event(3)))
    loaded = store.load(["p1/pt1", "p1/pt2"])
    assert [e.version for e in loaded["p1/pt1"].events] == [1, 2, 3]
    assert [e.position for e in store.log(0, 10)] == [1, 2, 3, 4]
    assert [e.position for e in store.log(2, 1)] == [3]
    assert store.head() == 4
