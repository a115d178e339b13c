"""A40: two records of theirs are one patient, whatever the order in which it is said."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from infra.eventstore import open_store
from services.ingest import Delivery
from tests.hl7v2.sent import (
    Sent,
    a40,
    adt,
    dft,
    er7,
    ft1,
    msh,
    pid,
    ppr,
    prb,
    site,
    time_of,
)

NURSE = "9^ROE^N^^^^^^RIVER"


def minutes(number: str, patient: str, count: int, control: str, hour: int = 8) -> bytes:
    work = ft1(number, "CCMMIN", "", quantity=str(count), by=NURSE)
    return er7(msh("DFT^P03", control, time_of(hour)), pid(patient), work)


def seconds(sent: Sent) -> dict[str, int]:
    return {a["patient_id"]: a["seconds"]["logged"] for a in sent.answers()}


def test_a40_carries_the_history_over(sent: Sent) -> None:
    sent.take(minutes("c1", "old", 12, "1"), minutes("c2", "new", 9, "2"))
    sent.take(a40("new", "old", "3", time_of(9)))
    assert seconds(sent) == {"new": 21 * 60}
    sent.take(minutes("c3", "old", 1, "4", 10), minutes("c1", "new", 13, "5", 11))
    assert seconds(sent) == {"new": 23 * 60}
    assert sent.letters() == []


def test_any_order_comes_to_the_same() -> None:
    story = [
        minutes("c1", "old", 12, "1", 8),
        minutes("c2", "new", 9, "2", 9),
        a40("new", "old", "3", time_of(10)),
        minutes("c1", "new", 14, "4", 11),
        minutes("c4", "old", 2, "5", 12),
    ]
    for order in permutations(story):
        told = Sent(open_store("memory:"))
        told.take(*order[:2])
        told.take(*order[1:])
        assert (seconds(told), told.letters()) == ({"new": 25 * 60}, [])


def test_a_later_a40_names_another_patient_who_stays(sent: Sent) -> None:
    sent.take(minutes("c1", "old", 12, "1"), a40("wrong", "old", "2", time_of(9)))
    assert seconds(sent) == {"wrong": 720}
    sent.take(a40("right", "old", "3", time_of(10)))
    assert seconds(sent) == {"right": 720}
    sent.take(a40("wrong", "old", "2", time_of(9)))
    assert seconds(sent) == {"right": 720}


def test_several_pairs_of_a_message_are_merged_and_a_circle_is_refused(sent: Sent) -> None:
    sent.take(minutes("c1", "a", 1, "1"), minutes("c2", "b", 2, "2"))
    pairs = [pid("x"), "MRG|a^^^RIVER^MR", pid("y"), "MRG|b^^^RIVER"]
    sent.take(er7(msh("ADT^A40^ADT_A39", "3", time_of(9)), *pairs))
    assert seconds(sent) == {"x": 60, "y": 120}
    circle = [pid("z"), "MRG|x^^^RIVER^MR", pid("a"), "MRG|z^^^RIVER"]
    sent.take(er7(msh("ADT^A40^ADT_A39", "4", time_of(10)), *circle))
    assert [reason for reason, _ in sent.refusals()] == ["merge-circle"]


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (a40("new", ""), ("unknown-patient", "MRG-1")),
        (a40("", "old"), ("unknown-patient", "PID-3")),
        (a40("old", "old"), ("patient-merged", "MRG-1")),
    ],
)
def test_a_merge_without_two_patients_waits(message: bytes, refusal: Any) -> None:
    told = Sent(open_store("memory:"))
    told.take(message)
    assert (told.refusals(), told.events()) == ([refusal], [])


def link(value: str, patient: str, id: str) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/mpi",
        "type": "identity.linked.v1",
        "practiceid": "p1",
        "subject": patient,
        "time": "2025-03-01T00:00:00Z",
        "data": {"system": "https://ehr.example/fhir/PID-3", "value": value},
    }


def test_linked_records_are_merged_once_both_are_known() -> None:
    from infra.eventstore.translated import open_translations
    from services.releasing import release

    store = open_store("memory:")
    patient = {"authority": "RIVER", "type": "MR", "subject": "linked"}
    told = Sent(store, site(patient=patient))
    told.take(minutes("c1", "old", 12, "1"), a40("new", "old", "2", time_of(9)))
    assert told.refusals() == [("unknown-patient", "PID-3"), ("unknown-patient", "MRG-1")]
    told.native(link("old", "p-old", "l1"))
    release(open_translations(store), told.ingest)
    assert (seconds(told), told.refusals()) == ({"p-old": 720}, [("unknown-patient", "PID-3")])
    told.native(link("new", "p-new", "l2"))
    release(open_translations(store), told.ingest)
    assert (seconds(told), told.refusals()) == ({"p-new": 720}, [])
    told.take(minutes("c2", "old", 1, "3", 10), a40("new", "old", "4", time_of(11)))
    assert (seconds(told), told.refusals()) == ({"p-new": 780}, [])


def test_what_is_known_of_visits_and_problems_goes_along(sent: Sent) -> None:
    old = pid("old")
    sent.take(adt("A01", old), ppr("PC1", prb()), dft(ft1()))
    sent.take(a40("pt1", "old", "9", time_of(9)))
    streams = {each.stream_id for each in sent.store.log(0, 100) if each.name.startswith("stay")}
    assert streams == {"p1/old", "p1/pt1"}


def test_what_comes_after_a_refused_message_is_not_compared_with_it(sent: Sent) -> None:
    """All in one batch: a merge that would make a circle, and the same thing said later."""
    sent.take(minutes("c1", "old", 12, "1"), a40("new", "old", "2", time_of(9)))
    both = [pid("old"), "MRG|new^^^RIVER^MR", pid("new"), "MRG|third^^^RIVER^MR"]
    circle = er7(msh("ADT^A40^ADT_A39", "3", time_of(10)), *both)
    sent.take(circle, a40("old", "third", "4", time_of(11)), a40("old", "new", "5", time_of(12)))
    assert sent.refusals() == [("merge-circle", "data.into")] * 2
    merged = [(each.stream_id, each.name) for each in sent.store.log(0, 100)]
    assert merged.count(("p1/third", "patient.merged.v1")) == 1
    sent.take(a40("away", "old", "6", time_of(13)))
    letters = sent.letters()
    for letter in letters:
        again = Delivery(letter.value, letter.key, letter.headers, letter.origin, letter.id)
        sent.ingest.take([again])
    assert seconds(sent) == {"away": 720}
