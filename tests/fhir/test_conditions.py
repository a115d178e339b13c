"""Resources in R4 and R5 form, the events they hold, or why they hold none.

Conditions, deaths and merges.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.made import SNOMED, coded, condition, to_patient
from tests.fhir.mapped import patient, said, why


def test_a_condition_is_chronic_where_its_category_attests_it() -> None:
    data = {"code": "I10", "chronic": True, "onset_on": "2019-05-01"}
    assert said(condition()) == [("condition.recorded.v1", data)]
    assert said(condition(category=[]))[0][1]["chronic"] is False
    assert "onset_on" not in said(condition(onsetDateTime="1985-12-21T17:49:34Z"))[0][1]
    assert "onset_on" not in said(condition(onsetDateTime=None))[0][1]
    mapped = condition(code=coded(SNOMED, "38341003"))
    assert said(mapped)[0][1]["code"] == "I10"


def test_a_condition_that_ended_was_one() -> None:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    over = condition(clinicalStatus=coded(system, "resolved"), abatementDateTime="2025-02-01")
    assert said(over)[1] == ("condition.resolved.v1", {"code": "I10", "resolved_on": "2025-02-01"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"verificationStatus": coded("x", "provisional")}, "not-confirmed"),
        ({"verificationStatus": coded("x", "refuted")}, "refuted"),
        ({"verificationStatus": coded("x", "entered-in-error")}, "entered-in-error"),
        ({"clinicalStatus": None}, "missing-member@clinicalStatus"),
        ({"clinicalStatus": coded("x", "odd")}, "unmapped-status@clinicalStatus"),
        ({"clinicalStatus": coded("x", "resolved")}, "imprecise-date@abatementDateTime"),
        ({"code": coded(SNOMED, "1")}, "unmapped-code@code"),
        ({"code": None}, "unmapped-code@code"),
        ({"onsetDateTime": "2019"}, "imprecise-date@onsetDateTime"),
        ({"onsetDateTime": None, "onsetAge": {"value": 52}}, "imprecise-date@onsetAge"),
        ({"onsetDateTime": None, "onsetString": "long ago"}, "imprecise-date@onsetString"),
    ],
)
def test_a_condition_that_leaves_something_open(changes: dict[str, Any], expected: str) -> None:
    assert why(condition(**changes)) == expected


def test_a_death_needs_its_day() -> None:
    assert said(patient(deceasedDateTime="2025-03-04")) == [
        ("patient.died.v1", {"died_on": "2025-03-04"})
    ]
    assert why(patient()) == why(patient(deceasedBoolean=False)) == "alive"
    assert why(patient(deceasedBoolean=True)) == "imprecise-date@deceasedBoolean"
    assert why(patient(deceasedDateTime="2025-03")) == "imprecise-date@deceasedDateTime"
    link = [{"type": "replaced-by", "other": to_patient("pt2")}]
    merged = ("patient.merged.v1", {"into": "pt2"})
    assert said(patient(link=link)) == [merged]
    assert said(patient(link=link, deceasedDateTime="2025-03-04"))[0] == merged
    other = {"type": "replaced-by", "other": to_patient("pt3")}
    assert why(patient(link=[*link, other])) == "ambiguous@link"
    elsewhere = {"type": "replaced-by", "other": {"reference": "https://x.example/Patient/1"}}
    assert why(patient(link=[elsewhere])) == "patient-merged@link.other"
