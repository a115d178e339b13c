"""What crosses patients: decided along the log, once, whatever batches and interruptions."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from domain.rules import BOOK
from infra.codec import decode_event, stream_id
from infra.eventstore import open_store
from infra.eventstore.projected import open_projected
from projections.ports import PositionPassed, Store
from projections.projected import place
from projections.staffing import stretches
from services.histories import folded
from services.ingest import Ingest
from services.notify.deliverable import is_deliverable
from services.projecting.following import step
from tests.postgres import postgres_server, postgres_url
from tests.projections.test_staffing import every_pair
from tests.services.projected import (
    Feed,
    Make,
    billing,
    crowd,
    followed,
    overlaps,
    panel,
    panels,
    policy,
    short,
    store,
    sums,
)

__all__ = ["postgres_server", "postgres_url", "store"]


def test_one_nurse_at_two_patients_is_told_for_both_and_taken_back(store: Store) -> None:
    feed, projection = Feed(store), overlaps(store)
    feed.take(feed.work("t1", (0, 30)))
    assert followed(store, projection) == []
    feed.take(feed.work("t2", (20, 40), "b"))
    found = followed(store, projection)
    assert short(found) == [("a", "raised", 1, "e2"), ("b", "raised", 1, "e2")]
    assert {(b["type"], b["month"], b["code"], b["unit"]) for b in found} == {
        ("staff.overlap", "2025-03", "rn1", 0)
    }
    assert [b["stream_version"] for b in found] == [1, 1]
    feed.take(feed.work("t2", (30, 50), "b", amended=True))
    assert short(followed(store, projection))[2:] == [
        ("a", "resolved", 2, "e3"),
        ("b", "resolved", 2, "e3"),
    ]
    feed.take(feed.void("t1"))
    assert len(followed(store, projection)) == 4


def test_an_alert_stands_while_any_overlap_is_left(store: Store) -> None:
    feed, projection = Feed(store), overlaps(store)
    again = feed.work("t3", (5, 10), "c")
    feed.take(feed.work("t1", (0, 30)), feed.work("t2", (20, 40), "b"), again)
    assert len(followed(store, projection)) == 3
    feed.take(feed.void("t2", "b"))
    assert short(followed(store, projection))[3:] == [("b", "resolved", 2, "e4")]
    feed.take(feed.retract(again))
    assert short(followed(store, projection))[4:] == [
        ("a", "resolved", 2, "e5"),
        ("c", "resolved", 2, "e5"),
    ]


def test_ingest_leaves_alerts_that_cross_patients_alone(store: Store) -> None:
    """Further events of the patient, folded by a process that begins anew, do not resolve them."""
    feed = Feed(store)
    feed.take(feed.work("t1", (0, 30)), feed.work("t2", (20, 40), "b"))
    followed(store, overlaps(store))
    feed._ingest = Ingest(store, feed._clock, BOOK, policy)
    feed.take(feed.work("t3", (100, 110)), feed.work("t4", (100, 110), "b", "rn2"))
    assert short(followed(store, overlaps(store))) == [
        ("a", "raised", 1, "e2"),
        ("b", "raised", 1, "e2"),
    ]


def test_what_history_raises_is_stored_and_not_delivered(store: Store) -> None:
    """Long after the month; and its resolution, too."""
    feed, projection = Feed(store), overlaps(store)
    feed._now += 365 * 86_400 * 1_000_000
    feed.take(feed.work("t1", (0, 30)), feed.work("t2", (20, 40), "b"))
    feed.take(feed.void("t1"))
    found = followed(store, projection)
    assert [(b["state"], b["suppressed"]) for b in found] == [
        ("raised", "month-long-over"),
        ("raised", "month-long-over"),
        ("resolved", "never-raised"),
        ("resolved", "never-raised"),
    ]
    assert not any(is_deliverable(row) for row in store.transitions(0, 100))


@pytest.mark.parametrize("seed", range(3))
def test_what_stands_raised_is_what_every_pair_says(store: Store, seed: int) -> None:
    crowd(Feed(store), seed)
    bodies = followed(store, overlaps(store), 17)
    standing = {
        (b["practice_id"], b["code"], stream_id(b["practice_id"], b["patient_id"]), b["month"])
        for b in {(x["alert_id"]): x for x in bodies}.values()
        if b["state"] == "raised"
    }
    all = []
    for name, stream in store.load(sorted(store.versions())).items():
        patient = folded(*name.split("/"), map(decode_event, stream.events))
        for entry in patient.entries:
            all += stretches(patient, entry, name, "UTC")
    assert standing == {(*staff, *booked) for staff, booked in every_pair(all)}
    numbers: Counter[str] = Counter()
    for body in bodies:
        numbers[body["alert_id"]] += 1
        assert body["transition"] == numbers[body["alert_id"]]
        assert (body["state"] == "raised") == (body["transition"] % 2 == 1)


@pytest.mark.parametrize("make", [overlaps, billing], ids=["overlaps", "billing"])
def test_the_size_of_batches_changes_no_byte(make: Make) -> None:
    found = []
    for limit in (1, 7, 500):
        store = open_store("memory:")
        feed = Feed(store)
        for practice, patient in (("p1", "a"), ("p2", "a"), ("p1", "b"), ("p2", "b")):
            feed.chart(patient, practice)
        crowd(feed, seed=5, events=200)
        found.append(followed(store, make(store), limit))
    assert found[0] == found[1] == found[2]
    assert len(found[0]) > 4


def test_a_batch_that_was_not_written_leaves_nothing_behind(store: Store) -> None:
    """Two processes follow one log: the late one is refused, and goes on rightly."""
    feed, mine, theirs = Feed(store), overlaps(store), overlaps(store)
    crowd(feed, seed=9, events=60)
    for n in range(12):
        step(store, mine if n % 3 else theirs, 0, 4)
    at = store.tracking(place(mine.name, 0))
    original = store.log

    def raced(after: int, limit: int) -> Any:
        events = original(after, limit)
        store.log = original  # type: ignore[method-assign]
        step(store, theirs, 0, 2)
        return events

    store.log = raced  # type: ignore[method-assign]
    with pytest.raises(PositionPassed):
        step(store, mine, 0, 10)
    assert store.tracking(place(mine.name, 0)) == (at or 0) + 2
    bodies = followed(store, mine)
    other = open_store("memory:")
    crowd(Feed(other), seed=9, events=60)
    assert bodies == followed(other, overlaps(other))


def test_two_practices_of_one_operator_that_bill_a_person_are_told(store: Store) -> None:
    feed, projection = Feed(store), billing(store)
    for practice in ("p1", "p2", "p3"):
        feed.chart("a", practice)
    feed.take(feed.work("t1", (0, 25), "a"), feed.work("t3", (0, 25), "a", practice="p3"))
    assert followed(store, projection) == []
    late = feed.work("t2", (60, 85), "a", practice="p2")
    feed.take(late)
    found = followed(store, projection)
    assert [(b["practice_id"], b["state"], b["type"], b["code"]) for b in found] == [
        (p, "raised", "conflict.detected", "billed-elsewhere-in-operator") for p in ("p1", "p2")
    ]
    feed.take(feed.retract(late))
    found = followed(store, projection)
    assert [(b["practice_id"], b["state"]) for b in found[2:]] == [
        ("p1", "resolved"),
        ("p2", "resolved"),
    ]


def test_the_panel_is_the_sum_of_all_assessments(store: Store) -> None:
    feed, projection = Feed(store), panels(store)
    for practice, patient in (("p1", "a"), ("p2", "a"), ("p1", "b"), ("p1", "c")):
        feed.chart(patient, practice)
    for seed in range(4):
        crowd(feed, seed, events=40)
        followed(store, projection, 13)
        assert panel(open_projected(store)) == sums(store)
    assert any(one["amounts"] for one in sums(store))
    assert panel(open_projected(store), "p2") == [
        s for s in sums(store) if s["practice_id"] == "p2"
    ]
