"""Reads of patients as FHIR R4 AuditEvents, for whoever keeps all of a house's audit records.

Types are DICOM's: a patient's record, a query over a panel, an export. Members follow
https://hl7.org/fhir/R4/auditevent.html.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec

from services.audit.access import PATIENT, PRACTICE, Access

EXPORTS: Final = ("export", "audit packet", "/packet")
"""What leaves the house as a file: commands, and how their address over HTTP ends."""

_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_HL7: Final = "http://terminology.hl7.org/CodeSystem"


def audit_event(access: Access) -> dict[str, Any]:
    """The resource, in the order of the specification."""
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"access-{access.number}",
        "type": _type(access),
        "action": "R" if access.is_of_one_patient else "E",
        "recorded": access.at,
        "outcome": "0",
    }
    if access.reason:
        made["purposeOfEvent"] = [{"text": access.reason}]
    agent = {
        "type": {
            "coding": [
                {
                    "system": f"{_HL7}/v3-ParticipationType",
                    "code": "IRCP",
                    "display": "information recipient",
                }
            ]
        },
        "who": {"identifier": {"value": access.actor}},
        "altId": access.user,
        "requestor": True,
    }
    source = {
        "observer": {"display": "caretally"},
        "type": [_coding("security-source-type", "4", "Application Server")],
    }
    return {**made, "agent": [agent], "source": source, "entity": _entities(access)}


def _type(access: Access) -> dict[str, str]:
    if access.what.endswith(EXPORTS):
        code, display = "110106", "Export"
    elif access.is_of_one_patient:
        code, display = "110110", "Patient Record"
    else:
        code, display = "110112", "Query"
    return {"system": _DICOM, "code": code, "display": display}


def _entities(access: Access) -> list[dict[str, Any]]:
    """The patient, where one is named, and the question with its whole filter."""
    found: list[dict[str, Any]] = []
    if access.is_of_one_patient:
        identifier: dict[str, Any] = {"value": access.wanted[PATIENT]}
        if practice := access.wanted.get(PRACTICE):
            identifier["assigner"] = {"display": practice}
        found.append(
            {
                "what": {"type": "Patient", "identifier": identifier},
                "type": _coding("audit-entity-type", "1", "Person"),
                "role": _coding("object-role", "1", "Patient"),
            }
        )
    question = msgspec.json.encode(access.wanted)
    found.append(
        {
            "type": _coding("audit-entity-type", "2", "System Object"),
            "role": _coding("object-role", "24", "Query"),
            "query": base64.b64encode(question).decode(),
            "detail": [{"type": access.door, "valueString": access.what}],
        }
    )
    return found


def _coding(system: str, code: str, display: str) -> dict[str, str]:
    return {"system": f"{_HL7}/{system}", "code": code, "display": display}
