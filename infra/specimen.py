"""One event of every type, in all its shapes: what a form of snapshots is known by."""

from __future__ import annotations

from typing import Any

_ON, _LATER = "2025-01-31", "2025-02-28"
_NPI = "1000000004"
_BY = {"id": "rn1", "role": "clinical_staff"}
_ABROAD = {"id": "md1", "role": "billing_practitioner", "outside_us": True}
_LATE = {"started_at": "2025-01-31T23:50:00-05:00", "ended_at": "2025-02-01T00:10:00.9-05:00"}
_NOON = {"started_at": "2025-03-10T12:00:00Z", "ended_at": "2025-03-10T12:20:00Z"}

SPECIMEN: tuple[tuple[str, dict[str, Any]], ...] = (
    (
        "patient.enrolled.v1",
        {
            "effective_on": _ON,
            "timezone": "America/New_York",
            "billing_practitioner": {"npi": _NPI, "credential": "MD"},
        },
    ),
    (
        "patient.enrolled.v1",
        {
            "effective_on": _LATER,
            "timezone": "UTC",
            "billing_practitioner": {"npi": _NPI, "credential": "NP"},
            "provider_kind": "rhc",
            "setting": "facility",
            "locality": "13202-01",
            "new_patient": True,
        },
    ),
    ("patient.disenrolled.v1", {"effective_on": _LATER, "reason": "moved"}),
    ("patient.died.v1", {"died_on": _LATER}),
    ("consent.recorded.v1", {"consented_on": _ON, "method": "verbal", "npi": _NPI}),
    ("consent.revoked.v1", {"revoked_on": _LATER}),
    ("condition.recorded.v1", {"code": "I10", "chronic": True}),
    ("condition.recorded.v1", {"code": "E11.9", "chronic": False, "onset_on": _ON}),
    ("condition.resolved.v1", {"code": "I10", "resolved_on": _LATER}),
    ("care_plan.recorded.v1", {"action": "established", "on": _ON}),
    ("care_plan.recorded.v1", {"action": "shared", "on": _ON, "document": "d1"}),
    ("visit.recorded.v1", {"on": _ON, "hcpcs": "99214", "npi": _NPI, "ccm_discussed": True}),
    ("time.logged.v1", {"entry_id": "t1", "performer": _BY, "activity": "a", **_LATE}),
    ("time.logged.v1", {"entry_id": "t2", "performer": _BY, "activity": "a", **_NOON}),
    (
        "time.logged.v1",
        {
            "entry_id": "t3",
            "performer": _ABROAD,
            "activity": "b",
            "program": "rpm",
            "performed_on": _LATER,
            "seconds": 60,
        },
    ),
    (
        "time.amended.v1",
        {"entry_id": "t2", "performer": _ABROAD, "activity": "b", "reason": "r", **_LATE},
    ),
    ("time.voided.v1", {"entry_id": "t4", "reason": "wrong patient"}),
    ("complexity.assessed.v1", {"month": "2025-01", "mdm": "high", "npi": _NPI}),
    ("service.billed.v1", {"hcpcs": "G0181", "from": _ON, "through": _LATER, "npi": _NPI}),
    ("stay.recorded.v1", {"kind": "inpatient", "admitted_on": _ON}),
    ("stay.recorded.v1", {"kind": "other", "admitted_on": _ON, "discharged_on": _LATER}),
    (
        "month.claimed.v1",
        {
            "month": "2025-01",
            "codes": [{"code": "99490", "units": 1}],
            "claim_id": "c1",
            "submitted_on": _LATER,
        },
    ),
    ("month.reopened.v1", {"month": "2025-01", "reason": "late"}),
    (
        "event.retracted.v1",
        {"event_source": "/specimen", "event_id": "1", "reason": "entered in error"},
    ),
    ("identity.linked.v1", {"system": "urn:oid:1.2.3", "value": "MR1"}),
    ("patient.merged.v1", {"into": "pt-7"}),
)
"""Event names with their data, in the order of a stream."""
