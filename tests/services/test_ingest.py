"""The ingest core: what a batch leaves behind, whatever is in it and however often it comes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from domain.policy import Policy
from domain.rules import BOOK
from infra.codec import event_key
from infra.eventstore import open_store
from projections.ports import Batch, PositionPassed, Store, StreamMoved
from services.ingest import Delivery, Ingest, Outcome
from tests.chain import verify_chain

NPI = "1000000004"
RECORDED_AT_US = 1_742_000_000_000_000


def said(type: str, data: dict[str, Any], id: str, subject: str = "pt1", **more: Any) -> bytes:
    event = {"specversion": "1.0", "id": id, "source": "/ehr", "type": type, "practiceid": "p1"}
    return json.dumps(
        {**event, "subject": subject, "time": "2025-03-10T17:00:00Z", "data": data, **more}
    ).encode()


def chart(subject: str = "pt1") -> list[bytes]:
    on = "2025-01-02"
    practitioner = {"npi": NPI, "credential": "MD"}
    enrolled = {
        "effective_on": on,
        "timezone": "America/New_York",
        "billing_practitioner": practitioner,
    }
    visit = {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}
    facts = [
        ("patient.enrolled.v1", enrolled),
        ("visit.recorded.v1", visit),
        ("consent.recorded.v1", {"consented_on": on, "method": "written", "npi": NPI}),
        ("condition.recorded.v1", {"code": "I10", "chronic": True}),
        ("condition.recorded.v1", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded.v1", {"action": "established", "on": on}),
    ]
    return [said(type, data, f"{subject}-c{n}", subject) for n, (type, data) in enumerate(facts)]


def logged(entry: str, seconds: int, subject: str = "pt1", id: str | None = None) -> bytes:
    performer = {"id": "rn1", "role": "clinical_staff"}
    data = {"entry_id": entry, "performer": performer, "activity": "care_coordination"}
    return said(
        "time.logged.v1",
        {**data, "performed_on": "2025-03-05", "seconds": seconds},
        id or f"{subject}-{entry}",
        subject,
    )


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db")
    yield opened
    opened.close()


def ingest_into(store: Store, patients_max: int = 50_000) -> Ingest:
    return Ingest(store, lambda: RECORDED_AT_US, BOOK, lambda _: Policy(), patients_max)


def take(ingest: Ingest, messages: Sequence[bytes], **tracking: int) -> Outcome:
    return ingest.take(
        [Delivery(m, None, (), f"test:{n}") for n, m in enumerate(messages)], tracking
    )


def answers(store: Store) -> list[dict[str, Any]]:
    return [json.loads(line) for line in store.assessments()]


def test_a_batch_leaves_events_answers_alerts_and_the_position(store: Store) -> None:
    outcome = take(ingest_into(store), [*chart(), logged("t1", 1_200)], feed=7)
    assert (outcome.accepted, outcome.duplicates, outcome.dead_lettered) == (7, 0, 0)
    (answer,) = answers(store)
    assert (answer["status"], answer["stream_version"]) == ("billable", 7)
    assert answer["codes"] == [{"code": "99490", "units": 1}]
    bodies = [json.loads(row.body) for row in store.transitions(0, 10)]
    assert [(b["type"], b["code"], b["state"]) for b in bodies] == [
        ("threshold.reached", "99490", "raised")
    ]
    assert store.tracking("feed") == 7


def test_the_same_batch_again_changes_nothing(store: Store) -> None:
    batch = [*chart(), logged("t1", 1_200)]
    take(ingest_into(store), batch)
    before = (answers(store), store.head(), store.counts())
    outcome = take(ingest_into(store), batch)
    assert (outcome.accepted, outcome.duplicates) == (0, 7)
    assert (answers(store), store.head(), store.counts()) == before


def test_a_repetition_inside_one_batch_counts_once(store: Store) -> None:
    outcome = take(ingest_into(store), [*chart(), logged("t1", 700), logged("t1", 700)])
    assert (outcome.accepted, outcome.duplicates) == (7, 1)
    assert answers(store)[0]["seconds"]["logged"] == 700


def test_a_bad_message_is_kept_whole_and_the_others_are_taken(store: Store) -> None:
    outcome = take(ingest_into(store), [*chart(), b"{not json", logged("t1", 1_200)])
    assert (outcome.accepted, outcome.dead_lettered) == (7, 1)
    (letter,) = store.dead_letters()
    assert (letter.value, letter.reason, letter.origin) == (b"{not json", "not-json", "test:6")
    assert outcome.results[6] is not None
    assert answers(store)[0]["status"] == "billable"


@pytest.mark.parametrize("apart", [True, False])
def test_one_id_for_two_patients_is_a_conflict_and_the_first_stands(
    store: Store, apart: bool
) -> None:
    ingest = ingest_into(store)
    first = [*chart("pt1"), logged("t1", 1_200, "pt1", id="same")]
    second = [*chart("pt2"), logged("t1", 1_200, "pt2", id="same"), logged("t2", 60, "pt2")]
    outcomes = (
        [take(ingest, first), take(ingest, second)] if apart else [take(ingest, first + second)]
    )
    assert sum(o.accepted for o in outcomes) == 14
    (letter,) = store.dead_letters()
    assert (letter.reason, letter.field) == ("conflicting-duplicate", "id")
    assert {a["patient_id"]: a["seconds"]["logged"] for a in answers(store)} == {
        "pt1": 1_200,
        "pt2": 60,
    }


def test_other_content_under_one_id_of_a_patient_is_a_conflict(store: Store) -> None:
    take(ingest_into(store), [*chart(), logged("t1", 700, id="e-1")])
    outcome = take(ingest_into(store), [logged("t1", 701, id="e-1")])
    assert outcome.dead_lettered == 1
    assert answers(store)[0]["seconds"]["logged"] == 700


def test_a_position_that_was_passed_is_refused_and_nothing_is_written(store: Store) -> None:
    ingest = ingest_into(store)
    take(ingest, chart(), feed=10)
    before = store.head()
    with pytest.raises(PositionPassed):
        take(ingest, [logged("t1", 1_200)], feed=10)
    assert store.head() == before
    assert take(ingest, [logged("t1", 1_200)], feed=11).accepted == 1
    assert answers(store)[0]["stream_version"] == 7


def test_patients_that_left_the_cache_are_loaded_as_they_were(store: Store) -> None:
    ingest = ingest_into(store, patients_max=1)
    for message in [*chart("pt1"), *chart("pt2"), logged("t1", 1_000, "pt1")]:
        take(ingest, [message])
    take(ingest, [logged("t1", 60, "pt2"), logged("t2", 200, "pt1")])
    bodies = [json.loads(row.body) for row in store.transitions(0, 10)]
    seen = [(b["patient_id"], b["type"], b["transition"], b["state"]) for b in bodies]
    assert seen == [
        ("pt1", "threshold.approaching", 1, "raised"),
        ("pt1", "threshold.approaching", 2, "resolved"),
        ("pt1", "threshold.reached", 1, "raised"),
    ]
    verify_chain(store.log(0, 100))


def test_another_writer_that_got_in_first_costs_a_try_not_an_event(store: Store) -> None:
    one, other = ingest_into(store), ingest_into(store)
    take(one, [*chart(), logged("t1", 600)])
    take(other, [logged("t2", 600)])
    assert take(one, [logged("t3", 60)]).accepted == 1
    assert answers(store)[0]["seconds"]["logged"] == 1_260
    verify_chain(store.log(0, 100))


def test_an_outage_in_the_middle_leaves_nothing_and_the_same_batch_goes_through_later(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = ingest_into(store)
    take(ingest, chart())
    commit = store.commit

    def broken(_: Batch) -> None:
        raise ConnectionError("the database is gone")

    monkeypatch.setattr(store, "commit", broken)
    with pytest.raises(ConnectionError):
        take(ingest, [logged("t1", 1_200)])
    monkeypatch.setattr(store, "commit", commit)
    assert answers(store) == []
    assert take(ingest, [logged("t1", 1_200)]).accepted == 1
    assert answers(store)[0]["stream_version"] == 7


def test_a_month_emptied_by_a_void_leaves_the_read_model(store: Store) -> None:
    ingest = ingest_into(store)
    take(ingest, [*chart(), logged("t1", 1_200)])
    take(ingest, [said("time.voided.v1", {"entry_id": "t1", "reason": "wrong patient"}, "v1")])
    assert answers(store) == []
    states = [json.loads(row.body)["state"] for row in store.transitions(0, 10)]
    assert states == ["raised", "resolved"]


def test_recorded_times_of_batches_ascend_even_when_the_clock_stands_still(store: Store) -> None:
    ingest = ingest_into(store)
    for message in chart():
        take(ingest, [message])
    stamps = [json.loads(stored.state)["recorded_at"] for stored in store.log(0, 10)]
    assert stamps == sorted(set(stamps))


def test_keys_are_stored_for_ever_with_their_event(store: Store) -> None:
    take(ingest_into(store), chart())
    assert store.log(0, 1)[0].key == event_key("/ehr", "pt1-c0")


def test_a_moved_stream_is_reported_by_the_store_itself(store: Store) -> None:
    take(ingest_into(store), chart())
    again = store.log(0, 1)[0]
    with pytest.raises(StreamMoved):
        store.commit(Batch(events=[again], versions={again.stream_id: 1}))
