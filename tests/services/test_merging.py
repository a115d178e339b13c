"""Merged records: the history is carried over, whatever the order, and a wrong merge is undone."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.codec import decode_event, verify_chain
from infra.eventstore import open_store
from infra.eventstore.translated import open_translations
from projections.ports import Store
from projections.translated import identity_key
from services.ingest import Delivery, Ingest
from services.replay import Replay
from tests.thoroughness import examples

NOW_US = 1_742_000_000_000_000
NPI = "1000000004"
Document = dict[str, Any]


def said(id: str, patient: str, type: str, data: Document, second: int) -> Document:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/ehr",
        "type": type,
        "practiceid": "p1",
        "subject": patient,
        "time": f"2025-03-12T10:{second // 60:02d}:{second % 60:02d}Z",
        "data": data,
    }


def chart(patient: str, at: int = 0) -> list[Document]:
    practitioner = {"npi": NPI, "credential": "MD"}
    facts: list[tuple[str, Document]] = [
        ("patient.enrolled.v1", {"effective_on": "2025-01-01", "timezone": "America/New_York",
                                 "billing_practitioner": practitioner}),
        ("consent.recorded.v1", {"consented_on": "2025-01-01", "method": "written", "npi": NPI}),
        ("visit.recorded.v1", {"on": "2025-01-01", "hcpcs": "99214", "npi": NPI,
                               "ccm_discussed": True}),
        ("condition.recorded.v1", {"code": "I10", "chronic": True}),
        ("condition.recorded.v1", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded.v1", {"action": "established", "on": "2025-01-01"}),
    ]  # fmt: skip
    return [
        said(f"{patient}-{n}", patient, type, data, at + n) for n, (type, data) in enumerate(facts)
    ]


def call(id: str, patient: str, minutes: int, at: int) -> Document:
    data = {
        "entry_id": id,
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "phone_call",
        "performed_on": f"2025-03-{at % 9 + 1:02d}",
        "seconds": 60 * minutes,
    }
    return said(f"log-{id}", patient, "time.logged.v1", data, at)


def void(id: str, patient: str, at: int) -> Document:
    data = {"entry_id": id, "reason": "wrong"}
    return said(f"void-{id}", patient, "time.voided.v1", data, at)


def merge(losing: str, into: str, id: str = "", at: int = 100) -> Document:
    return said(id or f"merge-{losing}-{into}", losing, "patient.merged.v1", {"into": into}, at)


def retract(event: str, patient: str, at: int = 200, id: str = "") -> Document:
    data = {"event_source": "/ehr", "event_id": event, "reason": "wrong"}
    return said(id or f"not-{event}", patient, "event.retracted.v1", data, at)


class Kept:
    """An ingest core over a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ingest = Ingest(store, lambda: NOW_US, BOOK, lambda _: Policy())

    def take(self, *documents: Document) -> list[str]:
        """Take a batch; the reasons of what was refused."""
        found = [Delivery(json.dumps(d).encode(), None, (), "test") for d in documents]
        outcome = self.ingest.take(found)
        return [result.reason for result in outcome.results if result is not None]

    def answers(self) -> list[Document]:
        """The assessments, without what hangs on how many events made them."""
        return [plain(json.loads(line)) for line in self.store.assessments()]


def plain(answer: Document) -> Document:
    return {name: value for name, value in answer.items() if name != "stream_version"}


def replayed(documents: Sequence[Document]) -> list[Document]:
    replay = Replay()
    for document in documents:
        assert replay.take(json.dumps(document).encode()) is None
    found = replay.answers(BOOK, lambda _: Policy())
    return [plain(json.loads(assessment_json(answer))) for answer in found]


def of_one(documents: Sequence[Document], *losing: str, into: str) -> list[Document]:
    """The events with those of merged records addressed to the patient who stays."""
    return [
        {**each, "subject": into if each["subject"] in losing else each["subject"]}
        for each in documents
        if each["type"] != "patient.merged.v1"
    ]


@pytest.fixture(params=["memory", "sqlite"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db"
    store = open_store(url)
    yield Kept(store)
    store.close()


STORY = [*chart("a"), call("t1", "a", 12, 20), *chart("b", 30), call("t2", "b", 9, 40)]


def test_the_history_of_the_record_that_ends_is_the_others(kept: Kept) -> None:
    kept.take(*STORY)
    assert [(a["patient_id"], a["status"]) for a in kept.answers()] == [
        ("a", "accruing"), ("b", "accruing"),
    ]  # fmt: skip
    kept.take(merge("b", "a"))
    (answer,) = kept.answers()
    assert (answer["patient_id"], answer["status"]) == ("a", "billable")
    assert answer["seconds"]["logged"] == 21 * 60


def test_what_comes_later_for_the_record_that_ended_is_carried_over_too(kept: Kept) -> None:
    kept.take(merge("b", "a"))
    kept.take(*STORY[:7])
    kept.take(*STORY[7:], call("t3", "b", 5, 50))
    kept.take(void("t2", "b", 60), call("t4", "a", 2, 61))
    (answer,) = kept.answers()
    assert answer["seconds"]["logged"] == (12 + 5 + 2) * 60
    amended = {**call("t1", "b", 30, 70), "type": "time.amended.v1", "id": "amend"}
    kept.take({**amended, "data": {**amended["data"], "reason": "longer"}})
    (answer,) = kept.answers()
    assert answer["seconds"]["logged"] == (30 + 5 + 2) * 60


def test_a_retraction_of_what_was_carried_over_holds(kept: Kept) -> None:
    kept.take(*STORY, merge("b", "a"))
    kept.take(retract("log-t2", "b"))
    assert kept.answers()[0]["seconds"]["logged"] == 12 * 60
    kept.take(retract("not-log-t2", "b", 201))
    assert kept.answers()[0]["seconds"]["logged"] == 21 * 60


def test_a_wrong_merge_is_undone_and_done_again(kept: Kept) -> None:
    kept.take(*STORY)
    before = kept.answers()
    for turn in range(3):
        kept.take(merge("b", "a", f"m{turn}", 100 + turn))
        assert len(kept.answers()) == 1
        kept.take(retract(f"m{turn}", "b", 110 + turn))
        assert kept.answers() == before
    kept.take(call("t5", "b", 1, 55))
    kept.take(retract("not-m2", "b", 150))
    (answer,) = kept.answers()
    assert answer["seconds"]["logged"] == 22 * 60


def test_a_merge_into_another_takes_the_history_along(kept: Kept) -> None:
    kept.take(*STORY, *chart("c", 70), merge("b", "a"), merge("b", "c", at=120))
    seconds = {a["patient_id"]: a["seconds"]["logged"] for a in kept.answers()}
    assert seconds == {"a": 720, "c": 540}


def test_a_merge_of_a_merge_goes_all_the_way(kept: Kept) -> None:
    story = [*STORY, *chart("c", 70), call("t9", "c", 4, 80)]
    kept.take(*story, merge("a", "b"))
    kept.take(merge("b", "c"))
    kept.take(call("t6", "a", 3, 90))
    (answer,) = kept.answers()
    assert (answer["patient_id"], answer["seconds"]["logged"]) == ("c", (12 + 9 + 4 + 3) * 60)
    kept.take(retract("merge-a-b", "a"))
    seconds = {a["patient_id"]: a["seconds"]["logged"] for a in kept.answers()}
    assert seconds == {"a": 15 * 60, "c": 13 * 60}


def test_a_circle_of_merges_is_refused(kept: Kept) -> None:
    assert kept.take(merge("a", "a")) == ["merge-circle"]
    kept.take(*STORY, merge("a", "b"), merge("b", "c"))
    assert kept.take(merge("c", "a")) == ["merge-circle"]
    assert kept.take(retract("merge-b-c", "b"), merge("c", "a", "again")) == []
    assert kept.take(retract("not-merge-b-c", "b")) == ["merge-circle"]


def test_no_sender_may_say_that_something_was_carried_over(kept: Kept) -> None:
    kept.take(*STORY, merge("b", "a"))
    forged = {**call("x", "a", 1, 1), "source": "!caretally/merged"}
    assert kept.take(forged) == ["invalid-member"]


def test_every_answer_is_that_of_one_patient_with_all_events() -> None:
    """The patient who stays is as though every event had been said of them."""
    for order in list(permutations([STORY[6], STORY[13], merge("b", "a"), void("t2", "b", 60)])):
        kept = Kept(open_store("memory:"))
        rest = [each for each in STORY if each not in order]
        for document in [*rest, *order]:
            kept.take(document)
        assert kept.answers() == replayed(of_one([*rest, *order], "b", into="a"))


def test_the_log_holds_what_was_carried_over_and_from_where(kept: Kept) -> None:
    kept.take(*STORY, merge("b", "a"))
    log = kept.store.log(0, 1000)
    carried = [decode_event(each) for each in log if "!caretally" in each.state.decode()]
    assert len(carried) == 7
    assert {event.patient_id for event in carried} == {"a"}
    assert {event.id for event in carried} >= {"a b /ehr log-t2"}
    for stream in ("p1/a", "p1/b"):
        verify_chain([each for each in log if each.stream_id == stream])


def test_an_identifier_goes_on_to_mean_the_record_that_ended(kept: Kept) -> None:
    linked = {"system": "urn:mrn", "value": "7"}
    kept.take(*STORY, said("l1", "b", "identity.linked.v1", linked, 5))
    key = identity_key("p1", "urn:mrn", "7")
    translations = open_translations(kept.store)
    assert translations.patients([key]) == {key: "p1/b"}
    kept.take(merge("b", "a"))
    assert translations.patients([key]) == {key: "p1/b"}


def test_a_claim_of_the_record_that_ended_is_the_others(kept: Kept) -> None:
    codes = [{"code": "99490", "units": 1}]
    claim = {"month": "2025-03", "codes": codes, "claim_id": "c1", "submitted_on": "2025-03-11"}
    kept.take(*STORY, said("claim", "b", "month.claimed.v1", claim, 70), merge("b", "a"))
    (answer,) = kept.answers()
    assert (answer["patient_id"], answer["status"]) == ("a", "claimed")


def test_alerts_of_the_record_that_ended_fall(kept: Kept) -> None:
    kept.take(*STORY, call("t8", "b", 20, 81))
    kept.take(merge("b", "a"))
    raised: dict[str, bool] = {}
    for row in kept.store.transitions(0, 1000):
        if row.stream_id == "p1/b":
            raised[row.state.alert_id] = row.state.raised
    assert raised
    assert not any(raised.values())


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
