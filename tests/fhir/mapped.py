"""Drafts of one resource, or why it has none; for the tests of each kind."""

from __future__ import annotations

from typing import Any

from services.translate.outcome import Ignore, Review
from services.translate.resource import drafts_of
from services.translate.site import Site
from tests.fhir.made import ACT, CPT, NPI, SNOMED, coded, meta, site, to_patient, visit

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


def patient(**changes: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "pt1", **meta(), **changes}


R5_CONSENT = {
    "patient": None,
    "subject": to_patient(),
    "dateTime": None,
    "date": "2025-01-02",
    "decision": "permit",
    "provision": None,
    "grantee": [{"reference": "Practitioner/md1"}],
}
