"""ADT: stays, visits and deaths; snapshots that regress nothing; cancels that void."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from infra.eventstore import open_store
from tests.hl7v2.sent import NPI, Sent, adt, pid, pv1, site, time_of

STAY = "stay.recorded.v1"
IN = {"kind": "inpatient", "admitted_on": "2025-03-01"}
OUT = {**IN, "discharged_on": "2025-03-04"}
LEFT = pv1(discharged="20250304120000")


def test_an_admission_is_a_stay_and_a_discharge_ends_it(sent: Sent) -> None:
    sent.take(adt("A01"))
    assert sent.standing() == [(STAY, IN)]
    sent.take(adt("A03", LEFT, control="2", at=time_of(18)))
    assert sent.standing() == [(STAY, OUT)]
    assert sent.letters() == []


def test_a_redelivery_has_no_effect(sent: Sent) -> None:
    sent.take(adt("A01"))
    before = sent.events()
    outcome = sent.take(adt("A01"), adt("A01"))
    assert (outcome.accepted, outcome.dead_lettered) == (0, 0)
    assert outcome.ignored["repeated"] == 2
    assert sent.events() == before


def test_other_content_under_a_control_id_goes_to_review(sent: Sent) -> None:
    sent.take(adt("A01"), adt("A01", pv1(admitted="20250302080000")))
    assert sent.refusals() == [("conflicting-duplicate", "MSH-10")]
    assert sent.standing() == [(STAY, IN)]


def test_a_snapshot_never_regresses_a_status(sent: Sent) -> None:
    """A08 after a discharge, with and without its day, and A08 after a cancelled discharge."""
    sent.take(adt("A01"), adt("A03", LEFT, control="2", at=time_of(18)))
    sent.take(adt("A08", control="3", at=time_of(19)))
    assert sent.standing() == [(STAY, OUT)]
    sent.take(adt("A13", control="4", at=time_of(20)))
    assert sent.standing() == [(STAY, IN)]
    sent.take(adt("A08", LEFT, control="5", at=time_of(21)))
    assert sent.standing() == [(STAY, IN)]


def test_a_snapshot_alone_begins_no_stay(sent: Sent) -> None:
    outcome = sent.take(adt("A08", LEFT))
    assert (sent.events(), outcome.ignored["not-begun"]) == ([], 1)


def test_a_snapshot_corrects_the_days_of_a_stay(sent: Sent) -> None:
    sent.take(adt("A01"), adt("A08", pv1(admitted="20250228"), control="2", at=time_of(18)))
    assert sent.standing() == [(STAY, {**IN, "admitted_on": "2025-02-28"})]


def test_cancels_void_what_they_cancel(sent: Sent) -> None:
    sent.take(adt("A01"), adt("A11", control="2", at=time_of(18)))
    assert sent.standing() == []
    sent.take(adt("A01", control="3", at=time_of(19)))
    assert sent.standing() == [(STAY, IN)]


STORY = [
    adt("A01", control="1", at=time_of(8)),
    adt("A08", pv1(admitted="20250228220000"), control="2", at=time_of(9)),
    adt("A03", pv1(admitted="20250228220000", discharged="20250304"), control="3", at=time_of(10)),
    adt("A13", control="4", at=time_of(11)),
    adt("A08", LEFT, control="5", at=time_of(12)),
    adt("A03", pv1(admitted="20250301", discharged="20250305"), control="6", at=time_of(13)),
]
END = {"kind": "inpatient", "admitted_on": "2025-03-01", "discharged_on": "2025-03-05"}


def test_any_order_and_any_repetition_comes_to_the_same() -> None:
    """720 orders of one stay's messages, each of them with a message said twice."""
    answers = set()
    for number, order in enumerate(permutations(STORY)):
        store = open_store("memory:")
        told = Sent(store)
        told.take(*order[:3])
        told.take(*order[2:], order[number % 6])
        assert told.letters() == []
        answers.add(json.dumps(told.standing(), sort_keys=True))
        store.close()
    assert answers == {json.dumps([(STAY, END)], sort_keys=True)}


def test_a_cancelled_admission_stays_cancelled_whatever_comes_late(sent: Sent) -> None:
    sent.take(adt("A11", control="3", at=time_of(10)))
    sent.take(adt("A03", LEFT, control="2", at=time_of(9)), adt("A01", at=time_of(8)))
    assert sent.standing() == []


def test_a_visit_is_recorded_at_its_end(sent: Sent) -> None:
    visit = {"kind": "O", "type": "AWV"}
    outcome = sent.take(adt("A04", pv1(**visit)))
    assert (sent.standing(), outcome.ignored["not-finished"]) == ([], 1)
    sent.take(adt("A03", pv1(**visit, discharged="20250301090000"), control="2", at=time_of(18)))
    data = {"on": "2025-03-01", "hcpcs": "G0439", "npi": NPI}
    assert sent.standing() == [("visit.recorded.v1", data)]


def test_a_visit_counts_from_its_registration_where_the_profile_says_so() -> None:
    store = open_store("memory:")
    told = Sent(store, site(visits={"codes": {"PV1-2|O": "99214"}, "on": "registration"}))
    told.take(adt("A04", pv1(kind="O", attending="77^DOE^J^^^^^^RIVER")))
    data = {"on": "2025-03-01", "hcpcs": "99214", "npi": NPI}
    assert told.standing() == [("visit.recorded.v1", data)]


def test_the_first_fitting_value_of_the_profile_counts(sent: Sent) -> None:
    sent.take(adt("A01", pv1(service="SNF")))
    assert sent.standing() == [(STAY, {**IN, "kind": "snf_part_a"})]


def test_a_class_that_changes_takes_the_stay_along(sent: Sent) -> None:
    sent.take(adt("A01"), adt("A07", pv1(kind="O"), control="2", at=time_of(18)))
    assert sent.standing() == []
    sent.take(adt("A06", control="3", at=time_of(19)))
    assert sent.standing() == [(STAY, IN)]


def test_an_emptied_field_takes_back_what_it_said(sent: Sent) -> None:
    sent.take(adt("A31", pid(died="20250305")), adt("A31", pid(), control="2", at=time_of(18)))
    assert sent.standing() == [("patient.died.v1", {"died_on": "2025-03-05"})]
    sent.take(adt("A31", pid(died='""'), control="3", at=time_of(19)))
    assert sent.standing() == []


def test_a_death_is_told_by_pid_29_or_by_the_disposition(sent: Sent) -> None:
    sent.take(adt("A08", pid(died="20250305", dead="Y"), pv1(kind="N")))
    died = ("patient.died.v1", {"died_on": "2025-03-05"})
    assert sent.standing() == [died]
    sent.take(adt("A08", pid(dead="N"), pv1(kind="N"), control="2", at=time_of(18)))
    assert sent.standing() == [died]
    left = pv1("v2", discharged="20250306", disposition="20")
    sent.take(adt("A03", left, control="3", at=time_of(19)))
    assert ("patient.died.v1", {"died_on": "2025-03-06"}) in sent.standing()


def test_a_day_is_one_of_the_patients_zone(sent: Sent) -> None:
    sent.take(adt("A01", pv1(admitted="20250302020000+0000")))
    assert sent.standing() == [(STAY, {**IN, "admitted_on": "2025-03-01"})]
    told = Sent(open_store("memory:"), site(timezone="Europe/Berlin"))
    told.take(adt("A01", pv1(admitted="20250302020000"), at="20250310170000"))
    assert told.standing() == [(STAY, {**IN, "admitted_on": "2025-03-01"})]


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (adt("A01", pv1(admitted="202503")), ("imprecise-date", "PV1-44")),
        (adt("A01", pv1(admitted="2025")), ("imprecise-date", "PV1-44")),
        (adt("A01", pv1(admitted="20250230")), ("invalid-member", "PV1-44")),
        (adt("A01", pv1(admitted="yesterday")), ("invalid-member", "PV1-44")),
        (adt("A01", pv1(admitted="")), ("missing-member", "PV1-44")),
        (adt("A03", pv1()), ("missing-member", "PV1-45")),
        (adt("A03", pv1(discharged="20250228")), ("ends-before-start", "PV1-45")),
        (adt("A01", pv1(visit="")), ("missing-member", "PV1-19")),
        (adt("A01", pv1(visit="x" * 101)), ("invalid-member", "PV1-19")),
        (adt("A03", pv1(kind="O", discharged="20250301", attending="")), (
            "unknown-person", "PV1-7")),
        (adt("A03", pv1(kind="O", discharged="20250301", attending="5^A~77^B^^^^^^^RIVER~"
            "1000000012^^^^^^^^NPI")), ("ambiguous", "PV1-7")),
        (adt("A01", pid(patient="")), ("unknown-patient", "PID-3")),
        (adt("A01", "PID|||1^^^RIVER^MR~2^^^RIVER^MR"), ("ambiguous", "PID-3")),
        (adt("A01", "PID|||1^^^HILL^MR"), ("unknown-patient", "PID-3")),
        (adt("A01", at="20250310"), ("no-recorded-time", "MSH-7")),
        (adt("A01", at=""), ("no-recorded-time", "MSH-7")),
        (adt("A01", at="19990310120000"), ("no-recorded-time", "MSH-7")),
        (adt("A01", control=""), ("missing-member", "MSH-10")),
        (adt("A31", pid(dead="Y")), ("imprecise-date", "PID-30")),
        (adt("A37"), ("unmapped-status", "MSH-9")),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_waits_with_its_field(message: bytes, refusal: Any) -> None:
    told = Sent(open_store("memory:"))
    told.take(message)
    assert told.refusals() == [refusal]
    assert told.events() == []
    assert told.letters()[0].value == message


def test_what_has_nothing_of_ours_is_counted(sent: Sent) -> None:
    outcome = sent.take(adt("A01", pv1(kind="E", visit="")), adt("A05"), adt("A28"), adt("A99"))
    assert (sent.events(), sent.letters()) == ([], [])
    assert dict(outcome.ignored) == {
        "encounter-not-mapped": 1,
        "kind-not-mapped": 2,
        "nothing-in-it": 1,
    }
