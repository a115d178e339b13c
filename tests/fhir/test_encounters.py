"""Resources in R4 and R5 form, the events they hold, or why they hold none.

Visits, stays and procedures.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.made import NPI, OTHER_NPI, SNOMED, coded, visit
from tests.fhir.mapped import NPI_SYSTEM, procedure, said, stay, why


@pytest.mark.parametrize(
    "who",
    [
        {"reference": "Practitioner/md1"},
        {"reference": "https://ehr.example/fhir/Practitioner/md1"},
        {"identifier": {"system": NPI_SYSTEM, "value": NPI}},
        {"reference": f"Practitioner?identifier={NPI_SYSTEM}|{NPI}"},
        {"reference": "#dr"},
    ],
)
def test_a_visit_names_its_practitioner_in_any_form(who: dict[str, Any]) -> None:
    inside = {"resourceType": "Practitioner", "id": "dr"}
    inside |= {"identifier": [{"system": NPI_SYSTEM, "value": NPI}]}  # type: ignore[dict-item]
    resource = visit(participant=[{"individual": who}], contained=[inside])
    data = {"on": "2025-01-02", "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}
    assert said(resource) == [("visit.recorded.v1", data)]


def test_of_several_people_the_one_who_performed_it_counts() -> None:
    role = coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "PPRF")
    other = {"identifier": {"system": NPI_SYSTEM, "value": OTHER_NPI}}
    people: list[dict[str, Any]] = [
        {"individual": other},
        {"individual": {"reference": "Practitioner/md1"}, "type": [role]},
    ]
    assert said(visit(participant=people))[0][1]["npi"] == NPI
    del people[1]["type"]
    assert why(visit(participant=people)) == "ambiguous@participant"
    assert why(visit(participant=[])) == "unknown-person@participant"


def test_a_day_is_that_of_the_patients_zone() -> None:
    late = visit(period={"start": "2025-01-03T03:00:00Z", "end": "2025-01-03T04:00:00Z"})
    assert said(late)[0][1]["on"] == "2025-01-02"


def test_a_stay_has_no_discharge_before_it_ends() -> None:
    period = {"start": "2025-03-01", "end": "2025-03-04"}
    data = {"kind": "inpatient", "admitted_on": "2025-03-01"}
    assert said(stay(status="in-progress", period=period)) == [("stay.recorded.v1", data)]
    ended = [("stay.recorded.v1", {**data, "discharged_on": "2025-03-04"})]
    assert said(stay(period=period)) == said(stay(status="completed", period=period)) == ended
    assert why(stay(period={"start": "2025-03-01"})) == "missing-member@period.end"


@pytest.mark.parametrize("member", ["hospitalization", "admission"])
def test_a_discharge_as_deceased_is_a_death(member: str) -> None:
    system = "http://terminology.hl7.org/CodeSystem/discharge-disposition"
    over = {member: {"dischargeDisposition": coded(system, "exp")}}
    found = said(stay(period={"start": "2025-03-01", "end": "2025-03-04"}, **over))
    assert found[1] == ("patient.died.v1", {"died_on": "2025-03-04"})


def test_a_procedure_with_the_code_of_a_visit_is_one() -> None:
    data = {"on": "2025-03-05", "hcpcs": "99214", "npi": NPI}
    r5 = procedure(performedPeriod=None, occurrenceDateTime="2025-03-05")
    assert said(procedure()) == said(r5) == [("visit.recorded.v1", data)]
    assert why(procedure(code=coded(SNOMED, "1"))) == "procedure-not-mapped"
    assert why(procedure(status="not-done")) == "cancelled"
    assert why(procedure(status="unknown")) == "unmapped-status@status"
    assert why(procedure(performedPeriod=None)) == "imprecise-date@performedDateTime"
    assert why(procedure(performer=[])) == "unknown-person@performer"
