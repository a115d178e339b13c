"""Resources in R4 and R5 form, the events they hold, or why they hold none.

Claims, charges and kinds that hold nothing.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.made import CPT, NPI, OTHER_NPI, coded, meta, to_patient
from tests.fhir.mapped import NPI_SYSTEM, claim, said, why


def test_our_own_care_management_is_a_claimed_month() -> None:
    data = {
        "month": "2025-03",
        "codes": [{"code": "99490", "units": 1}],
        "claim_id": "Claim/cl1",
        "submitted_on": "2025-04-02",
    }
    assert said(claim()) == [("month.claimed.v1", data)]


def test_what_another_billed_is_a_service() -> None:
    data = {"hcpcs": "99490", "from": "2025-03-01", "through": "2025-03-31", "npi": OTHER_NPI}
    assert said(claim(npi=OTHER_NPI)) == [("service.billed.v1", data)]
    assert said(claim("90960"))[0] == ("service.billed.v1", {**data, "hcpcs": "90960", "npi": NPI})
    benefit = {**claim(npi=OTHER_NPI), "resourceType": "ExplanationOfBenefit"}
    assert said(benefit) == [("service.billed.v1", data)]
    assert why({**claim(), "resourceType": "ExplanationOfBenefit"}) == "no-line-of-ours"


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (claim("99213"), "no-line-of-ours"),
        (claim(use="preauthorization"), "not-a-claim"),
        (claim(status="cancelled"), "cancelled"),
        (claim(status="draft"), "not-a-claim"),
        (claim(status="odd"), "unmapped-status@status"),
        (claim(npi=OTHER_NPI, provider=None), "unknown-person@provider"),
        (claim(created="2025-04"), "imprecise-date@created"),
        (
            claim(item=[{"productOrService": coded(CPT, "99490"), "servicedDate": "2025"}]),
            "imprecise-date@servicedDate",
        ),
    ],
)
def test_a_claim_that_says_nothing_or_too_little(resource: dict[str, Any], expected: str) -> None:
    assert why(resource) == expected


@pytest.mark.parametrize("encounter", ["context", "encounter"])
def test_a_charge_counts_once_it_is_billed(encounter: str) -> None:
    resource = {
        "resourceType": "ChargeItem",
        "id": "ch1",
        **meta(),
        "status": "billed",
        "code": coded(CPT, "99491"),
        "subject": to_patient(),
        encounter: {"reference": "Encounter/v1"},
        "occurrenceDateTime": "2025-03-05",
        "performer": [{"actor": {"identifier": {"system": NPI_SYSTEM, "value": OTHER_NPI}}}],
    }
    data = {"hcpcs": "99491", "from": "2025-03-05", "through": "2025-03-05", "npi": OTHER_NPI}
    assert said(resource) == [("service.billed.v1", data)]
    assert why({**resource, "status": "billable"}) == "not-billed"
    assert why({**resource, "code": coded(CPT, "1")}) == "no-line-of-ours"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("CareTeam", "no-fact-in-it"),
        ("Coverage", "no-fact-in-it"),
        ("Observation", "kind-not-mapped"),
        ("", "kind-not-mapped"),
    ],
)
def test_other_kinds_are_recognised_and_counted(kind: str, expected: str) -> None:
    assert why({"resourceType": kind, "id": "x", "status": "entered-in-error"}) == expected
