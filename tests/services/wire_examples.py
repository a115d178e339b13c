"""One plain example of every event type, and the fact that it must become."""

from __future__ import annotations

import copy
import json
from datetime import date
from typing import Any

from domain import facts as f
from domain.rejections import Rejection
from services.wire.decode import Accepted, decode_message, decode_structured

NPI = "1000000004"
SOURCE = "//ehr.example/time"
TIME = "2025-03-05T15:21:00Z"
AT = 1_741_188_060
"""`TIME` in seconds since the epoch."""

STRUCTURED = [("content-type", b"application/cloudevents+json")]
ATTRIBUTES = ("specversion", "id", "source", "type", "practiceid", "subject", "time")

ENTRY: dict[str, Any] = {
    "entry_id": "t1",
    "performer": {"id": "rn1", "role": "clinical_staff"},
    "activity": "care_coordination",
}
CLOCKED = {
    **ENTRY,
    "started_at": "2025-03-05T10:00:00-05:00",
    "ended_at": "2025-03-05T10:20:00-05:00",
}
UNCLOCKED = {**ENTRY, "performed_on": "2025-03-05", "seconds": 1200}

STAFF = f.Performer("rn1", f.Role.CLINICAL_STAFF)
TWENTY_MINUTES = f.Clocked(AT - 1260, AT - 60)

EXAMPLES: dict[str, tuple[dict[str, Any], f.Fact]] = {
    "patient.enrolled.v1": (
        {
            "effective_on": "2025-01-01",
            "timezone": "America/New_York",
            "billing_practitioner": {"npi": NPI, "credential": "MD"},
        },
        f.PatientEnrolled(date(2025, 1, 1), "America/New_York", f.Practitioner(NPI, "MD")),
    ),
    "patient.disenrolled.v1": (
        {"effective_on": "2025-06-30", "reason": "moved away"},
        f.PatientDisenrolled(date(2025, 6, 30), "moved away"),
    ),
    "patient.died.v1": ({"died_on": "2025-06-30"}, f.PatientDied(date(2025, 6, 30))),
    "consent.recorded.v1": (
        {"consented_on": "2025-01-01", "method": "verbal", "npi": NPI},
        f.ConsentRecorded(date(2025, 1, 1), "verbal", NPI),
    ),
    "consent.revoked.v1": ({"revoked_on": "2025-02-01"}, f.ConsentRevoked(date(2025, 2, 1))),
    "condition.recorded.v1": (
        {"code": "E11.9", "chronic": True, "onset_on": "2019-05-01"},
        f.ConditionRecorded("E11.9", True, date(2019, 5, 1)),
    ),
    "condition.resolved.v1": (
        {"code": "I10", "resolved_on": "2025-02-01"},
        f.ConditionResolved("I10", date(2025, 2, 1)),
    ),
    "care_plan.recorded.v1": (
        {"action": "established", "on": "2025-01-01", "document": "urn:doc:1"},
        f.CarePlanRecorded("established", date(2025, 1, 1), "urn:doc:1"),
    ),
    "visit.recorded.v1": (
        {"on": "2025-01-01", "hcpcs": "99214", "npi": NPI, "ccm_discussed": True},
        f.VisitRecorded(date(2025, 1, 1), "99214", NPI, True),
    ),
    "time.logged.v1": (
        CLOCKED,
        f.TimeLogged("t1", STAFF, "care_coordination", TWENTY_MINUTES),
    ),
    "time.amended.v1": (
        {**UNCLOCKED, "reason": "wrong length"},
        f.TimeAmended(
            "t1", STAFF, "care_coordination", f.Unclocked(date(2025, 3, 5), 1200), "wrong length"
        ),
    ),
    "time.voided.v1": (
        {"entry_id": "t1", "reason": "wrong patient"},
        f.TimeVoided("t1", "wrong patient"),
    ),
    "complexity.assessed.v1": (
        {"month": "2025-03", "mdm": "moderate", "npi": NPI},
        f.ComplexityAssessed("2025-03", "moderate", NPI),
    ),
    "service.billed.v1": (
        {"hcpcs": "G0181", "from": "2025-03-01", "through": "2025-03-31", "npi": NPI},
        f.ServiceBilled("G0181", date(2025, 3, 1), date(2025, 3, 31), NPI),
    ),
    "stay.recorded.v1": (
        {"kind": "inpatient", "admitted_on": "2025-03-01", "discharged_on": "2025-03-01"},
        f.StayRecorded("inpatient", date(2025, 3, 1), date(2025, 3, 1)),
    ),
    "month.claimed.v1": (
        {
            "month": "2025-03",
            "codes": [{"code": "99490", "units": 1}, {"code": "99439", "units": 2}],
            "claim_id": "c1",
            "submitted_on": "2025-04-02",
        },
        f.MonthClaimed(
            "2025-03", (f.CodeUnits("99490", 1), f.CodeUnits("99439", 2)), "c1", date(2025, 4, 2)
        ),
    ),
    "month.reopened.v1": (
        {"month": "2025-03", "reason": "claim rejected"},
        f.MonthReopened("2025-03", "claim rejected"),
    ),
    "event.retracted.v1": (
        {"event_source": SOURCE, "event_id": "e0", "reason": "entered in error"},
        f.EventRetracted(SOURCE, "e0", "entered in error"),
    ),
    "identity.linked.v1": (
        {"system": "urn:oid:1.2.36.146", "value": "MR-7"},
        f.IdentityLinked("urn:oid:1.2.36.146", "MR-7"),
    ),
    "patient.merged.v1": ({"into": "pt-7"}, f.PatientMerged("pt-7")),
}

GONE = object()
"""As a value in `changed`: the member is left out."""


def cloudevent(type_name: str = "time.logged.v1", **attributes: Any) -> dict[str, Any]:
    """A whole CloudEvent of a type, `data` from `EXAMPLES` unless given."""
    return {
        "specversion": "1.0",
        "id": "e1",
        "source": SOURCE,
        "type": type_name,
        "practiceid": "p1",
        "subject": "pt1",
        "time": TIME,
        "data": copy.deepcopy(EXAMPLES[type_name][0]),
        **attributes,
    }


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The document with one member, named by its dotted path, replaced or left out."""
    whole = copy.deepcopy(document)
    *parents, last = path.split(".")
    part: Any = whole
    for name in parents:
        part = part[int(name)] if isinstance(part, list) else part[name]
    if value is GONE:
        del part[last]
    else:
        part[last] = value
    return whole


def raw(document: Any) -> bytes:
    """The document as compact JSON."""
    return json.dumps(document, separators=(",", ":")).encode()


def accepted(document: dict[str, Any]) -> Accepted:
    """What the document decodes to; fails when it is refused."""
    decoded = decode_structured(raw(document))
    assert isinstance(decoded, Accepted), decoded
    return decoded


def refusal(document: Any) -> Rejection:
    """Why the document is refused; fails when it is accepted."""
    decoded = decode_structured(raw(document))
    assert isinstance(decoded, Rejection), decoded
    return decoded


def headers(document: dict[str, Any]) -> list[tuple[str, bytes]]:
    """The binary mode's headers of a whole CloudEvent."""
    return [(f"ce_{name}", document[name].encode()) for name in ATTRIBUTES]


def rejection(value: bytes | None, of: list[tuple[str, bytes]] | None = None) -> Rejection:
    found = decode_message(value, STRUCTURED if of is None else of)
    assert isinstance(found, Rejection), found
    return found
