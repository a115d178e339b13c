"""Reads of patients as FHIR R4 AuditEvents, for whoever keeps all of a house's audit records.

Types are DICOM's: a patient's record, a query over a panel, an export; sign-ins, and changes of who
may read. Members follow
https://hl7.org/fhir/R4/auditevent.html.
"""

from __future__ import annotations

import base64
from typing import Any, Final

import msgspec

from services.audit.access import (
    ACCOUNT_CHANGED,
    NOT_READS,
    PATIENT,
    PRACTICE,
    REFUSED,
    SIGN_IN,
    SIGN_IN_REFUSED,
    SIGN_OUT,
    TOKEN_CHANGED,
    Access,
)

EXPORTS: Final = ("export", "audit packet", "/packet")
"""What leaves the house as a file: commands, and how their address over HTTP ends."""

SUCCESS, MINOR_FAILURE = "0", "4"

_REFUSALS: Final = frozenset({SIGN_IN_REFUSED, REFUSED})
_SUBTYPES: Final = {
    SIGN_IN: ("110122", "Login"),
    SIGN_IN_REFUSED: ("110122", "Login"),
    SIGN_OUT: ("110123", "Logout"),
    ACCOUNT_CHANGED: ("110137", "User Security Attributes Changed"),
    TOKEN_CHANGED: ("110137", "User Security Attributes Changed"),
}
_DICOM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_HL7: Final = "http://terminology.hl7.org/CodeSystem"
_RECIPIENT: Final = {
    "system": f"{_HL7}/v3-ParticipationType",
    "code": "IRCP",
    "display": "information recipient",
}


def audit_event(access: Access) -> dict[str, Any]:
    """The resource, in the order of the specification."""
    made: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"access-{access.number}",
        "type": _type(access),
        **_subtype(access),
        "action": "R" if access.is_of_one_patient else "E",
        "recorded": access.at,
        "outcome": MINOR_FAILURE if access.what in _REFUSALS else SUCCESS,
    }
    if access.reason:
        made["purposeOfEvent"] = [{"text": access.reason}]
    agent = {
        **({} if access.what in NOT_READS else {"type": {"coding": [_RECIPIENT]}}),
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
    if access.what in (SIGN_IN, SIGN_IN_REFUSED, SIGN_OUT):
        code, display = "110114", "User Authentication"
    elif access.what in NOT_READS:
        code, display = "110113", "Security Alert"
    elif access.what.endswith(EXPORTS):
        code, display = "110106", "Export"
    elif access.is_of_one_patient:
        code, display = "110110", "Patient Record"
    else:
        code, display = "110112", "Query"
    return {"system": _DICOM, "code": code, "display": display}


def _subtype(access: Access) -> dict[str, list[dict[str, str]]]:
    found = _SUBTYPES.get(access.what)
    if found is None:
        return {}
    code, display = found
    return {"subtype": [{"system": _DICOM, "code": code, "display": display}]}


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
