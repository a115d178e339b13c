"""Merged records: the history is carried over, and a wrong merge is undone."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import pytest

from infra.codec import decode_event
from infra.eventstore import open_store
from infra.eventstore.translated import open_translations
from projections.translated import identity_key
from tests.chain import verify_chain
from tests.services.merged import (
    STORY,
    Kept,
    call,
    chart,
    merge,
    of_one,
    replayed,
    retract,
    said,
    void,
)


@pytest.fixture(params=["memory", "sqlite"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    url = "memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db"
    store = open_store(url)
    yield Kept(store)
    store.close()


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
