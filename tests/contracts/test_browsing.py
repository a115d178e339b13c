"""What SQLite and PostgreSQL promise to who pages through them: one order, nothing twice."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.codec import stream_id
from infra.eventstore import open_store
from infra.eventstore.browsing import open_browsing
from projections.browsing import Browsing, Place, Wanted
from projections.ports import Batch, Store
from tests.contracts.made import assessment, batch, event, transition

PRACTICES = ["p", "p-1", "p-1-a", "p/x", "p%", "p0", "ü"]
PATIENTS = ["a", "a/b", "a-b", "ä", "zz"]
MONTHS = ["2025-02", "2025-03"]


@pytest.fixture
def store(durable_url: str) -> Iterator[Store]:
    opened = open_store(durable_url)
    for practice in PRACTICES:
        for patient in PATIENTS:
            first = event(1, patient, id=f"{practice} {patient}", practice=practice)
            months = [assessment(patient, month, practice) for month in MONTHS]
            opened.commit(batch(first, assessments=months))
    yield opened
    opened.close()


@pytest.fixture
def browsing(store: Store) -> Browsing:
    return open_browsing(store)


def test_practices_and_patients_are_each_given_once_in_order(browsing: Browsing) -> None:
    assert browsing.practices() == sorted(PRACTICES)
    for practice in PRACTICES:
        assert browsing.patients(practice, "", 100) == sorted(PATIENTS)
        found, after = list[str](), ""
        while page := browsing.patients(practice, after, 2):
            found, after = found + page, page[-1]
        assert found == sorted(PATIENTS)
    assert browsing.patients("p1", "", 100) == []


def test_pages_joined_are_what_the_store_gives(store: Store, browsing: Browsing) -> None:
    whole = list(store.assessments())
    found, after = list[tuple[Place, bytes]](), None
    while page := browsing.assessments(Wanted(), after, 3):
        found, after = found + page, page[-1][0]
    assert [body for _, body in found] == whole
    places = [place for place, _ in found]
    assert places == sorted(places)
    assert len(set(places)) == len(PRACTICES) * len(PATIENTS) * len(MONTHS)


def test_filters_are_those_of_the_store(store: Store, browsing: Browsing) -> None:
    for practices in (None, ["p"], ["p", "p/x"], []):
        for patient in (None, "a/b"):
            for month in (None, "2025-03"):
                wanted = Wanted(practices, patient, month)
                expected = [
                    body
                    for practice in sorted(PRACTICES if practices is None else practices)
                    for body in store.assessments(practice, patient, month)
                ]
                assert [b for _, b in browsing.assessments(wanted, None, 1_000)] == expected
    everything = browsing.assessments(Wanted(status="accruing"), None, 1_000)
    assert everything == browsing.assessments(Wanted(), None, 1_000)
    assert browsing.assessments(Wanted(status="diverged"), None, 1_000) == []


def test_a_patients_transitions_come_oldest_first_and_nobody_elses(
    store: Store, browsing: Browsing
) -> None:
    mine = stream_id("p1", "a")
    for number in (1, 2, 3):
        both = [transition(number, "a", "a1"), transition(number, "a/b", "a2")]
        store.commit(Batch(transitions=both))
    found = browsing.transitions(mine)
    assert [(row.stream_id, row.state.transition) for row in found] == [
        (mine, n) for n in (1, 2, 3)
    ]
    assert found == [row for row in store.transitions(0, 100) if row.stream_id == mine]
    assert browsing.transitions(stream_id("p1", "nobody")) == []


def test_a_store_in_memory_is_not_browsed() -> None:
    with pytest.raises(TypeError):
        open_browsing(open_store("memory:"))
