"""PPR, DFT and MDM: conditions, services, logged work, care plans and consents."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest

from infra.eventstore import open_store
from tests.hl7v2.sent import NPI, OTHER_NPI, Sent, dft, ft1, mdm, ppr, prb, site, time_of, txa

RECORDED, RESOLVED = "condition.recorded.v1", "condition.resolved.v1"
ACUTE = {"code": "I10", "chronic": False}
SERVICE = {"hcpcs": "99496", "from": "2025-03-05", "through": "2025-03-05", "npi": OTHER_NPI}


def test_a_problem_is_added_updated_and_deleted(sent: Sent) -> None:
    sent.take(ppr("PC1", prb()))
    assert sent.standing() == [(RECORDED, ACUTE)]
    update = prb("UP", persistence="C", onset="20240501")
    sent.take(ppr("PC2", update, control="2", at=time_of(18)))
    assert sent.standing() == [(RECORDED, {**ACUTE, "chronic": True, "onset_on": "2024-05-01"})]
    sent.take(ppr("PC2", prb("UP", ended="20250309"), control="3", at=time_of(19)))
    chronic = {"code": "I10", "chronic": True, "onset_on": "2024-05-01"}
    over = {"code": "I10", "resolved_on": "2025-03-09"}
    assert sent.standing() == [(RECORDED, chronic), (RESOLVED, over)]
    sent.take(ppr("PC3", prb("DE"), control="4", at=time_of(20)))
    assert sent.standing() == []
    sent.take(ppr("PC2", prb("UP"), control="5", at=time_of(21)))
    assert sent.standing() == []


def test_any_order_of_a_problems_messages_comes_to_the_same() -> None:
    story = [
        ppr("PC1", prb(), control="1", at=time_of(8)),
        ppr("PC3", prb("DE"), control="2", at=time_of(9)),
        ppr("PC1", prb(persistence="C"), control="3", at=time_of(10)),
        ppr("PC2", prb("UP", status="resolved", since="20250310"), control="4", at=time_of(11)),
        ppr("PC2", prb("UP", code="E11.9^x^I10"), control="5", at=time_of(12)),
    ]
    answers = set()
    for order in permutations(story):
        told = Sent(open_store("memory:"))
        told.take(*order, order[0])
        assert told.letters() == []
        answers.add(json.dumps(told.standing(), sort_keys=True))
    data = {"code": "E11.9", "chronic": True}
    end = {"code": "E11.9", "resolved_on": "2025-03-10"}
    expected = [(RECORDED, data), (RESOLVED, end)]
    assert answers == {json.dumps(expected, sort_keys=True)}


def test_several_problems_of_a_message_are_taken_or_none(sent: Sent) -> None:
    sent.take(ppr("PC1", prb(), prb(number="6", code="E11.9^x^I10C")))
    assert [data["code"] for _, data in sent.standing()] == ["E11.9", "I10"]
    sent.take(ppr("PC1", prb(number="7"), prb(number="8", code="38^x^L"), control="2"))
    assert sent.refusals() == [("unmapped-code", "PRB-3")]
    assert len(sent.standing()) == 2


def test_a_code_of_another_system_needs_the_profile(sent: Sent) -> None:
    sent.take(ppr("PC1", prb(code="38341003^x^SNM")))
    assert sent.standing() == [(RECORDED, ACUTE)]


@pytest.mark.parametrize(
    ("segment", "why"),
    [
        (prb(confirmed="provisional"), "not-confirmed"),
        (prb(confirmed="refuted"), "refuted"),
        (prb(confirmed="entered-in-error"), "entered-in-error"),
    ],
)
def test_what_is_not_confirmed_is_no_condition(segment: str, why: str) -> None:
    told = Sent(open_store("memory:"))
    assert told.take(ppr("PC1", segment)).ignored[why] == 1
    assert (told.events(), told.letters()) == ([], [])


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        (ppr("PC1", prb(number="")), ("missing-member", "PRB-4")),
        (ppr("PC1", prb(code="")), ("unmapped-code", "PRB-3")),
        (ppr("PC1", prb(code="nonsense^x^I10")), ("invalid-member", "data.code")),
        (ppr("PC1", prb(code="I10^x^I10^E11.9^y^I10")), ("ambiguous", "PRB-3")),
        (ppr("PC1", prb(status="resolved")), ("imprecise-date", "PRB-9")),
        (ppr("PC1", prb(status="odd")), ("unmapped-status", "PRB-14")),
        (ppr("PC1", prb(confirmed="odd")), ("unmapped-status", "PRB-13")),
        (ppr("PC1", prb(onset="2024")), ("imprecise-date", "PRB-16")),
        (ppr("PC1", prb("XX")), ("unmapped-status", "PRB-1")),
        (ppr("PC3", prb("AD")), ("unmapped-status", "PRB-1")),
        (dft(ft1(by="")), ("unknown-person", "FT1-20")),
        (dft(ft1(number="")), ("missing-member", "FT1-2")),
        (dft(ft1(on="202503")), ("imprecise-date", "FT1-4")),
        (dft(ft1(on="20250305^20250304")), ("ends-before-start", "FT1-4.2")),
        (dft(ft1(kind="")), ("unmapped-status", "FT1-6")),
        (dft(ft1(kind="CR")), ("unmapped-status", "FT1-2")),
        (dft(ft1(code="CCMMIN", procedure="", by="8^X")), ("unknown-person", "FT1-20")),
        (dft(ft1(code="CCMMIN", procedure="", quantity="1.5", by="9^X^^^^^^^RIVER")), (
            "invalid-member", "FT1-10")),
        (dft(ft1(code="CCMMIN", procedure="", on="20250301^20250305", by="9^X^^^^^^^RIVER")), (
            "ambiguous", "FT1-4")),
        (dft(ft1(code="CCMCLOCK", procedure="", on="202503051000^202503051020",
            by="9^X^^^^^^^RIVER")), ("imprecise-date", "FT1-4.1")),
        (dft(ft1(code="CCMCLOCK", procedure="", on="20250305100000", by="9^X^^^^^^^RIVER")), (
            "imprecise-date", "FT1-4")),
        (dft(ft1(code="CCMCLOCK", procedure="", on="20250309023000^20250309033000",
            by="9^X^^^^^^^RIVER")), ("ambiguous", "FT1-4.1")),
        (mdm("T02", txa(number="")), ("missing-member", "TXA-12")),
        (mdm("T02", txa(on="2025")), ("imprecise-date", "TXA-4")),
        (mdm("T02", txa(on="")), ("missing-member", "TXA-4")),
        (mdm("T02", txa(status="")), ("unmapped-status", "TXA-17")),
    ],
)  # fmt: skip
def test_what_cannot_be_mapped_names_its_field(message: bytes, refusal: Any) -> None:
    told = Sent(open_store("memory:"))
    told.take(message)
    assert told.refusals() == [refusal]
    assert told.events() == []


def test_a_charge_of_others_is_a_service_and_a_credit_takes_it_back(sent: Sent) -> None:
    sent.take(dft(ft1()))
    assert sent.standing() == [("service.billed.v1", SERVICE)]
    sent.take(dft(ft1(kind="CR"), control="2", at=time_of(18)))
    assert sent.standing() == []
    assert sent.letters() == []


def test_our_own_charge_and_codes_of_no_rule_are_nothing(sent: Sent) -> None:
    own = f"{NPI}^DOE^J^^^^^^NPI"
    outcome = sent.take(
        dft(ft1(procedure="99490", by=own)), dft(ft1(number="c2", procedure="71046"))
    )
    assert (sent.events(), sent.letters()) == ([], [])
    assert dict(outcome.ignored) == {"own-charge": 1, "no-line-of-ours": 1}


def test_the_code_may_stand_in_ft1_7_where_its_system_says_so(sent: Sent) -> None:
    sent.take(dft(ft1(code="99496^x^C4", procedure="")), dft(ft1("c2", "99496^x^L", "")))
    assert sent.standing() == [("service.billed.v1", SERVICE)]


def test_minutes_come_from_a_charge_only_where_the_profile_says_so(sent: Sent) -> None:
    nurse = "9^ROE^N^^^^^^RIVER"
    units = ft1("c1", "CCMMIN", "", quantity="22", by=nurse)
    range_ = "20250305100000^20250305102030"
    clocked = ft1("c2", "CCMCLOCK", "", on=range_, by=nurse)
    sent.take(dft(units, clocked), dft(ft1("c3", "LOCALMIN", "", quantity="22"), control="2"))
    common = {
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "phone_call",
        "program": "ccm",
    }
    ends = {
        "started_at": "2025-03-05T10:00:00-05:00",
        "ended_at": "2025-03-05T10:20:30-05:00",
    }
    assert sent.standing() == [
        ("time.logged.v1", {"entry_id": "Charge/c2", **common, **ends}),
        (
            "time.logged.v1",
            {"entry_id": "Charge/c1", **common, "performed_on": "2025-03-05", "seconds": 1320},
        ),
    ]
    assert sum(each["seconds"]["logged"] for each in sent.answers()) == 1320 + 1230


def test_a_charge_that_changes_amends_its_minutes(sent: Sent) -> None:
    nurse = "9^ROE^N^^^^^^RIVER"
    sent.take(dft(ft1("c1", "CCMMIN", "", quantity="22", by=nurse)))
    later = ft1("c1", "CCMMIN", "", quantity="20", by=nurse)
    sent.take(dft(later, control="2", at=time_of(18)))
    (answer,) = sent.answers()
    assert answer["seconds"]["logged"] == 1200
    sent.take(dft(ft1("c1", "CCMMIN", "", kind="CR"), control="3", at=time_of(19)))
    assert sent.answers() == []


def test_documents_are_care_plans_and_consents(sent: Sent) -> None:
    sent.take(mdm("T02", txa()), mdm("T02", txa("CC", "d2"), control="2"))
    plan = {"action": "established", "on": "2025-01-02", "document": "Document/d1"}
    consent = {"consented_on": "2025-01-02", "method": "written", "npi": NPI}
    assert sent.standing() == [
        ("care_plan.recorded.v1", plan),
        ("consent.recorded.v1", consent),
    ]
    sent.take(mdm("T11", txa(), control="3", at=time_of(18)))
    assert [name for name, _ in sent.standing()] == ["consent.recorded.v1"]


def test_a_document_that_nobody_signed_waits(sent: Sent) -> None:
    outcome = sent.take(mdm("T02", txa(status="IP")), mdm("T02", txa("XX", "d9"), control="2"))
    assert dict(outcome.ignored) == {"not-finished": 1, "document-not-mapped": 1}
    sent.take(mdm("T08", txa(status="AU"), control="3", at=time_of(18)))
    assert [name for name, _ in sent.standing()] == ["care_plan.recorded.v1"]


def test_what_local_statuses_mean_is_in_the_profile() -> None:
    statuses = {"PRB-14|XA": "active", "PRB-14|XO": "over", "PRB-13|XN": "not-confirmed"}
    told = Sent(open_store("memory:"), site(conditions={"statuses": statuses}))
    told.take(
        ppr("PC1", prb(status="XA")),
        ppr("PC1", prb(number="6", code="E11.9^x^I10C", status="XO", since="20250301")),
        ppr("PC1", prb(number="7", code="J45.909^x^I10C", confirmed="XN")),
    )
    assert [(name, data["code"]) for name, data in told.standing()] == [
        (RECORDED, "E11.9"),
        (RECORDED, "I10"),
        (RESOLVED, "E11.9"),
    ]
