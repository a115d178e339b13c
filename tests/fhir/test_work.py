"""Resources in R4 and R5 form, the events they hold, or why they hold none.

Work: Tasks and calls as logged time.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.fhir.made import ACT, LOCAL, SNOMED, coded, site, task, visit
from tests.fhir.mapped import call, said, why

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
