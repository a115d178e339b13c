"""What a follower of the log is told of month assessments: all of it, once, and what is gone."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from infra.eventstore import open_store
from infra.eventstore.assessment_feed import open_assessment_feed
from infra.eventstore.memory import MemoryStore
from infra.eventstore.rows import whole_assessment
from projections.feed import AssessmentFeed
from projections.ports import Batch, Store
from tests.contracts.made import assessment, batch, event, stream

Place = tuple[str, str]


@pytest.fixture
def store(durable_url: str) -> Iterator[Store]:
    opened = open_store(durable_url)
    yield opened
    opened.close()


def change(version: int, patient: str, *months: str, gone: tuple[str, ...] = ()) -> Batch:
    """One event of a patient that assesses these months anew and takes others away."""
    rows = [
        assessment(patient, month, status=f"s{version}")._replace(version=version)
        for month in months
    ]
    removed = [(stream(patient), month) for month in gone]
    return batch(event(version, patient), assessments=rows, removed_months=removed)


def told(feed: AssessmentFeed, after: int, limit: int) -> tuple[list[tuple[Place, bytes]], int]:
    """Everything beyond a position, in the order it was told; a month that is gone is empty."""
    found: list[tuple[Place, bytes]] = []
    while (changes := feed.changes(after, limit)).through > after:
        after = changes.through
        found += [
            ((row.patient_id, row.month), whole_assessment(row.body, row.version))
            for row in changes.rows
        ]
        found += [((gone.patient_id, gone.month), b"") for gone in changes.gone]
    return found, after


def test_a_reading_from_the_beginning_gives_every_month_once_and_then_only_what_changes(
    store: Store,
) -> None:
    feed = open_assessment_feed(store)
    for version in range(1, 6):
        store.commit(change(version, "pt1", "2025-03"))
    store.commit(change(1, "pt2", "2025-03", "2025-04"))
    found, at = told(feed, 0, limit=2)
    assert [place for place, _ in found] == [
        ("pt1", "2025-03"),
        ("pt2", "2025-03"),
        ("pt2", "2025-04"),
    ]
    assert feed.changes(at, 2) == ([], [], at)
    store.commit(change(6, "pt1", "2025-05"))
    assert [place for place, _ in told(feed, at, 10)[0]] == [("pt1", "2025-05")]


def test_a_month_that_is_gone_is_told_once_and_one_that_came_back_is_told_as_it_is(
    store: Store,
) -> None:
    feed = open_assessment_feed(store)
    store.commit(change(1, "pt1", "2025-03", "2025-04"))
    _, at = told(feed, 0, 10)
    store.commit(change(2, "pt1", gone=("2025-03", "2025-04", "2025-12")))
    found, at = told(feed, at, 10)
    assert sorted(found) == [(("pt1", "2025-03"), b""), (("pt1", "2025-04"), b"")]
    store.commit(change(3, "pt1", "2025-03"))
    found, at = told(feed, at, 10)
    assert [(place, bool(body)) for place, body in found] == [(("pt1", "2025-03"), True)]
    found, _ = told(feed, 0, 1)
    assert [(place, bool(body)) for place, body in found] == [
        (("pt1", "2025-04"), False),
        (("pt1", "2025-03"), True),
    ]


@pytest.mark.parametrize("seed", range(5))
def test_the_last_thing_told_of_each_month_is_what_the_store_holds(store: Store, seed: int) -> None:
    """Writers go on between the readings, and one reader begins again from an earlier place."""
    rng = random.Random(seed)
    feed = open_assessment_feed(store)
    versions = dict.fromkeys(("pt1", "pt2", "pt3"), 0)
    months = [f"2025-{number:02d}" for number in range(1, 5)]
    latest: dict[Place, bytes] = {}
    at = earlier = 0
    for _ in range(60):
        patient = rng.choice(sorted(versions))
        versions[patient] += 1
        changed = rng.sample(months, rng.randint(0, 2))
        gone = [m for m in months if m not in changed and rng.random() < 0.2]
        store.commit(change(versions[patient], patient, *changed, gone=tuple(gone)))
        if rng.random() < 0.4:
            changes = feed.changes(at, rng.randint(1, 4))
            latest |= {
                (r.patient_id, r.month): whole_assessment(r.body, r.version) for r in changes.rows
            }
            latest |= {(g.patient_id, g.month): b"" for g in changes.gone}
            earlier, at = at, changes.through
            if rng.random() < 0.1:
                at = earlier
    latest |= dict(told(feed, at, 3)[0])
    held = {place for place, body in latest.items() if body}
    rows = {
        (r.patient_id, r.month): whole_assessment(r.body, r.version)
        for r in feed.changes(0, 1000).rows
    }
    assert {place: latest[place] for place in held} == rows
    assert len(rows) == store.counts()["assessments"]


def test_a_store_in_memory_has_nothing_to_follow() -> None:
    with pytest.raises(TypeError):
        open_assessment_feed(MemoryStore())
