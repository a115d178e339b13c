"""Our samples are FHIR by the judgement of an independent reader: R4 (as R4B) and R5."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from fhir.resources import get_fhir_model_class as r5_class
from fhir.resources.R4B import get_fhir_model_class as r4b_class
from pydantic import ValidationError

from tests.fhir import made
from tests.fhir.mapped import call, claim, patient, procedure, stay
from tests.fhir.notified import notification

DATA = Path(__file__).parents[1] / "data" / "fhir"
R4 = {
    "task": made.task(),
    "visit": made.visit(),
    "call": call(type=[]) | {"length": {"value": 15, "system": "x", "code": "min"}},
    "stay": stay(),
    "episode": made.episode(),
    "consent": made.consent(),
    "condition": made.condition(),
    "care_plan": made.care_plan(),
    "procedure": procedure(),
    "patient": patient(deceasedDateTime="2025-03-04"),
    "charge": {
        "resourceType": "ChargeItem",
        "id": "ch1",
        "status": "billed",
        "code": made.coded(made.CPT, "99491"),
        "subject": made.to_patient(),
    },
    "claim": claim(
        type=made.coded("http://terminology.hl7.org/CodeSystem/claim-type", "professional"),
        priority=made.coded("http://terminology.hl7.org/CodeSystem/processpriority", "normal"),
        insurance=[{"sequence": 1, "focal": True, "coverage": {"reference": "Coverage/1"}}],
    ),
}
NOTIFICATIONS = [
    (release, type, brought)
    for release in ("r4", "r4b", "r5")
    for type in ("handshake", "heartbeat", "event-notification")
    for brought in (True, False)
]


def cleaned(resource: Any) -> Any:
    """Without members that are null or empty: FHIR has none, and our tests use them to leave
    something out."""
    if isinstance(resource, dict):
        found = {name: cleaned(value) for name, value in resource.items()}
        return {name: value for name, value in found.items() if value not in (None, [], {})}
    return [cleaned(each) for each in resource] if isinstance(resource, list) else resource


@pytest.mark.parametrize("name", R4)
def test_our_samples_are_fhir_r4(name: str) -> None:
    resource = cleaned(R4[name])
    r4b_class(resource["resourceType"]).model_validate_json(json.dumps(resource))


@pytest.mark.parametrize(("release", "type", "brought"), NOTIFICATIONS)
def test_our_notifications_are_fhir_of_their_release(
    release: str, type: str, brought: bool
) -> None:
    events = type == "event-notification"
    resources = [made.task()] if brought and events else []
    numbers, focus = ([1], ["Task/t1"]) if events else ([], [])
    bundle = cleaned(notification(release, type, len(numbers), numbers, focus, resources))
    for entry in bundle["entry"] if release != "r5" else []:
        entry.setdefault("response", {"status": "200"})
    status = bundle["entry"][0]["resource"]
    status.setdefault("id", "s")
    model = r5_class if release == "r5" else r4b_class
    model("Bundle").model_validate_json(json.dumps(bundle))


def test_the_oracle_sees_what_is_no_fhir() -> None:
    with pytest.raises(ValidationError):
        r4b_class("Task").model_validate_json(json.dumps({**made.task(), "colour": "red"}))


def test_the_synthetic_patients_are_fhir_r4() -> None:
    lines = (DATA / "one_patient.ndjson").read_text().splitlines()
    for resource in map(json.loads, lines):
        r4b_class(resource["resourceType"]).model_validate_json(json.dumps(resource))
    bundle = (DATA / "another_patient.json").read_text()
    assert len(r4b_class("Bundle").model_validate_json(bundle).entry) == 32  # type: ignore[attr-defined]
