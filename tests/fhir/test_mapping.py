"""Each kind of resource, in R4 and R5 form: the events it holds, or why it holds none."""

from __future__ import annotations

from typing import Any

import pytest

from services.translate.outcome import Ignore, Review
from services.translate.resource import drafts_of
from services.translate.site import Site
from tests.fhir.made import (
    ACT,
    CPT,
    LOCAL,
    NPI,
    OTHER_NPI,
    SNOMED,
    care_plan,
    coded,
    condition,
    consent,
    episode,
    meta,
    site,
    task,
    to_patient,
    visit,
)

NPI_SYSTEM = "http://hl7.org/fhir/sid/us-npi"


def said(resource: dict[str, Any], profile: Site | None = None) -> list[tuple[str, dict[str, Any]]]:
    return [(draft.type, draft.data) for draft in drafts_of(resource, profile or site())]


def why(resource: dict[str, Any], profile: Site | None = None) -> str:
    """`reason@field` of the review, or why it is ignored."""
    try:
        found = said(resource, profile)
    except Review as review:
        return f"{review.rejection.reason}@{review.rejection.field}"
    except Ignore as ignored:
        return ignored.why
    raise AssertionError(found)


def call(**changes: Any) -> dict[str, Any]:
    """A phone call, as an Encounter."""
    return {
        **visit("c1"),
        "class": {"system": ACT, "code": "VR"},
        "type": [],
        "participant": [{"individual": {"reference": "Practitioner/rn1"}}],
        "period": {"start": "2025-03-05T10:00:00-05:00", "end": "2025-03-05T10:20:00-05:00"},
        **changes,
    }


def stay(**changes: Any) -> dict[str, Any]:
    return visit("s1", **{"class": {"system": ACT, "code": "IMP"}, "type": [], **changes})


def claim(code: str = "99490", npi: str = NPI, **changes: Any) -> dict[str, Any]:
    line = {
        "sequence": 1,
        "productOrService": coded(CPT, code),
        "servicedPeriod": {"start": "2025-03-01", "end": "2025-03-31"},
        "quantity": {"value": 1},
    }
    return {
        "resourceType": "Claim",
        "id": "cl1",
        **meta(),
        "status": "active",
        "use": "claim",
        "patient": to_patient(),
        "created": "2025-04-02",
        "provider": {"identifier": {"system": NPI_SYSTEM, "value": npi}},
        "item": [line],
        **changes,
    }


def procedure(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Procedure",
        "id": "p1",
        **meta(),
        "status": "completed",
        "code": coded(SNOMED, "185345009"),
        "subject": to_patient(),
        "performedPeriod": {"start": "2025-03-05T10:00:00Z", "end": "2025-03-05T10:30:00Z"},
        "performer": [{"actor": {"reference": "Practitioner/md1"}}],
        **changes,
    }


# --- work ---------------------------------------------------------------------------------------

CLOCKED = {"started_at": "2025-03-05T10:00:00-05:00", "ended_at": "2025-03-05T10:20:00-05:00"}
NURSE = {"id": "rn1", "role": "clinical_staff"}


def test_a_completed_task_is_logged_time() -> None:
    entry = {"entry_id": "Task/t1", "performer": NURSE, "activity": "phone_call", "program": "ccm"}
    assert said(task()) == [("time.logged.v1", {**entry, **CLOCKED})]


@pytest.mark.parametrize(
    "r5",
    [
        {"status": "completed", "actualPeriod": call()["period"], "period": None},
        {"status": "completed", "class": [coded(ACT, "VR")]},
        {"participant": [{"actor": {"reference": "Practitioner/rn1"}}]},
    ],
)
def test_a_call_is_logged_time_in_r4_and_in_r5(r5: dict[str, Any]) -> None:
    entry: dict[str, Any] = {"entry_id": "Encounter/c1", "performer": NURSE}
    entry |= {"activity": "phone_call", "program": "ccm", **CLOCKED}
    assert said(call()) == said(call(**r5)) == [("time.logged.v1", entry)]


@pytest.mark.parametrize(
    ("length", "seconds"),
    [
        ({"value": 15, "code": "min"}, 900),
        ({"value": 0.25, "unit": "h"}, 900),
        ({"value": 61, "code": "s"}, 61),
    ],
)
def test_time_absent_is_no_time(length: dict[str, Any], seconds: int) -> None:
    ((_, data),) = said(call(length=length))
    assert (data["performed_on"], data["seconds"]) == ("2025-03-05", seconds)
    assert "started_at" not in data


def test_a_length_beyond_the_period_adds_nothing() -> None:
    ((_, data),) = said(call(length={"value": 2, "code": "h"}))
    assert data["ended_at"] == CLOCKED["ended_at"]


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (task(status="in-progress"), "not-finished"),
        (task(status="cancelled"), "cancelled"),
        (task(status="entered-in-error"), "entered-in-error"),
        (task(status="done"), "unmapped-status@status"),
        (task(status=None), "missing-member@status"),
        (task(status=7), "invalid-member@status"),
        (task(code=coded(LOCAL, "other")), "task-not-mapped"),
        (task(executionPeriod=None), "missing-member@executionPeriod.start"),
        (task(executionPeriod={"start": "2025-03-05"}), "imprecise-date@executionPeriod.start"),
        (task(executionPeriod={"start": "2025-03"}), "imprecise-date@executionPeriod.start"),
        (task(executionPeriod={"start": "2025"}), "imprecise-date@executionPeriod.start"),
        (
            task(executionPeriod={"start": "2025-03-05T10:00:00"}),
            "invalid-member@executionPeriod.start",
        ),
        (
            task(executionPeriod={"start": "2025-03-05T24:00:00Z"}),
            "invalid-member@executionPeriod.start",
        ),
        (
            task(executionPeriod={"start": CLOCKED["ended_at"], "end": CLOCKED["started_at"]}),
            "ends-before-start@executionPeriod.end",
        ),
        (task(executionPeriod={"start": "1999-01-01T00:00:00Z"}), "before-2010"),
        (task(owner=None), "unknown-person@owner"),
        (task(owner={"reference": "Practitioner/x"}), "unknown-person@owner"),
        (call(status="planned"), "not-begun"),
        (call(status="unknown"), "unmapped-status@status"),
        (call(status="in-progress"), "not-finished"),
        (call(length={"value": 5, "code": "d"}), "invalid-member@length"),
        (call(length={"value": "25", "code": "min"}), "invalid-member@length"),
        (
            call(
                participant=[{"individual": {"reference": f"Practitioner/rn{n}"}} for n in (1, 2)]
            ),
            "ambiguous@participant",
        ),
        (visit(**{"class": None, "type": None}), "unmapped-code@type"),
        (visit(type=[coded(SNOMED, "1")]), "encounter-not-mapped"),
    ],
)
def test_work_that_is_not_plain_is_not_made_up(resource: dict[str, Any], expected: str) -> None:
    assert why(resource) == expected


def test_people_without_a_name_in_the_profile_have_its_default_role() -> None:
    profile = site(time={**site().time.model_dump(), "default_role": "clinical_staff"})
    ((_, data),) = said(task(owner={"reference": "Practitioner/x"}), profile)
    assert data["performer"] == {"id": "Practitioner/x", "role": "clinical_staff"}


def test_a_code_with_two_meanings_is_ambiguous() -> None:
    both = {f"{LOCAL}|a": {"activity": "x"}, f"{LOCAL}|b": {"activity": "y"}}
    profile = site(time={"tasks": both})
    code = {"coding": [{"system": LOCAL, "code": "a"}, {"system": LOCAL, "code": "b"}]}
    assert why(task(code=code), profile) == "ambiguous@code"


# --- visits and stays ---------------------------------------------------------------------------


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


# --- the programme ------------------------------------------------------------------------------


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


R5_CONSENT = {
    "patient": None,
    "subject": to_patient(),
    "dateTime": None,
    "date": "2025-01-02",
    "decision": "permit",
    "provision": None,
    "grantee": [{"reference": "Practitioner/md1"}],
}


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


# --- conditions and patients --------------------------------------------------------------------


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


def patient(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "pt1", **meta(), **changes}


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


# --- claims -------------------------------------------------------------------------------------


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
