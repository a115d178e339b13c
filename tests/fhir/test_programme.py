"""Resources in R4 and R5 form, the events they hold, or why they hold none.

Enrolment, consent and care plans.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.made import (
    LOCAL,
    NPI,
    OTHER_NPI,
    SNOMED,
    care_plan,
    coded,
    consent,
    episode,
    site,
)
from tests.fhir.mapped import NPI_SYSTEM, R5_CONSENT, said, why


def test_an_episode_enrols_and_its_end_disenrols() -> None:
    enrolled = {
        "effective_on": "2025-01-02",
        "timezone": "America/New_York",
        "billing_practitioner": {"npi": NPI, "credential": "MD"},
        "provider_kind": "practitioner",
        "setting": "nonfacility",
    }
    assert said(episode()) == [("patient.enrolled.v1", enrolled)]
    over = {"start": "2025-01-02", "end": "2025-06-30"}
    ended = {"effective_on": "2025-06-30", "reason": "finished"}
    assert said(episode(status="finished", period=over))[1] == ("patient.disenrolled.v1", ended)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"type": [coded(LOCAL, "other")]}, "episode-not-mapped"),
        ({"status": "planned"}, "not-begun"),
        ({"status": "cancelled", "period": None}, "not-begun"),
        ({"status": "onhold"}, "unmapped-status@status"),
        ({"status": "finished"}, "missing-member@period.end"),
        ({"period": {"start": "2025-01"}}, "imprecise-date@period.start"),
        ({"careManager": None}, "unknown-person@careManager"),
        (
            {"careManager": {"identifier": {"system": NPI_SYSTEM, "value": OTHER_NPI}}},
            "unknown-person@careManager",
        ),
    ],
)
def test_an_episode_that_leaves_something_open(changes: dict[str, Any], expected: str) -> None:
    assert why(episode(**changes)) == expected


def test_a_consent_is_one_in_r4_and_in_r5() -> None:
    data = {"consented_on": "2025-01-02", "method": "written", "npi": NPI}
    assert said(consent()) == said(consent(**R5_CONSENT)) == [("consent.recorded.v1", data)]


def test_a_denial_and_a_dated_end_revoke() -> None:
    revoked = ("consent.revoked.v1", {"revoked_on": "2025-01-02"})
    assert said(consent(provision={"type": "deny"})) == [revoked]
    denied = consent(**{**R5_CONSENT, "decision": "deny"})
    assert said(denied) == [revoked]
    provision = {**consent()["provision"], "period": {"end": "2025-06-30"}}
    over = said(consent(status="inactive", provision=provision))
    assert over[1] == ("consent.revoked.v1", {"revoked_on": "2025-06-30"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"category": [coded(LOCAL, "research")]}, "consent-not-mapped"),
        ({"status": "proposed"}, "not-given"),
        ({"status": "rejected"}, "not-given"),
        ({"status": "unknown"}, "unmapped-status@status"),
        ({"status": "inactive"}, "imprecise-date@provision.period.end"),
        ({"dateTime": "2025"}, "imprecise-date@dateTime"),
        ({"dateTime": None}, "missing-member@dateTime"),
        ({"provision": None}, "unknown-person@performer"),
    ],
)
def test_a_consent_that_leaves_something_open(changes: dict[str, Any], expected: str) -> None:
    assert why(consent(**changes)) == expected


def test_a_profile_may_say_to_whom_and_since_when_no_more() -> None:
    terms = {**site().consents.model_dump(), "npi": NPI, "revoked_on": "last-updated"}
    profile = site(consents=terms)
    found = said(consent(provision=None, status="inactive"), profile)
    assert found[0][1]["npi"] == NPI
    assert found[1] == ("consent.revoked.v1", {"revoked_on": "2025-03-10"})


def test_a_care_plan_is_established_or_revises_another() -> None:
    data = {"action": "established", "on": "2025-01-02", "document": "CarePlan/cp1"}
    assert said(care_plan()) == [("care_plan.recorded.v1", data)]
    revised = care_plan(replaces=[{"reference": "CarePlan/cp0"}])
    assert said(revised)[0][1]["action"] == "revised"
    assert said(care_plan(period=None, created="2025-01-05"))[0][1]["on"] == "2025-01-05"
    assert why(care_plan(status="draft")) == "not-a-plan-yet"
    assert why(care_plan(intent="proposal")) == "not-a-plan-yet"
    assert why(care_plan(status="revoked")) == "unmapped-status@status"
    assert why(care_plan(category=[coded(SNOMED, "385691007")])) == "care-plan-not-mapped"
    assert why(care_plan(period=None)) == "missing-member@created"
    assert why(care_plan(period={"start": "2025"})) == "imprecise-date@period.start"
