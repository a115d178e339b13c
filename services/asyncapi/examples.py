"""One message of every kind. Those that go out are what the product makes of those that come in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, NamedTuple

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore import open_store
from infra.transparency import Signer
from projections.ports import TransitionRow
from services.audit.sealing import seal
from services.ingest import Delivery, Ingest
from services.notify.deliverable import deliverable

PRACTICE: Final = "p1"
MONTH: Final = "2025-03"
RECORDED_AT_US: Final = 1_742_571_000_000_000
"""2025-03-21, 15:30 UTC."""
SIGNER: Final = Signer("clinic.example/log", sha256(b"anybody may know this key").digest())

_NPI = "1000000004"
_NURSE = {"id": "rn1", "role": "clinical_staff"}


def _clocked(start: str, end: str) -> dict[str, str]:
    return {"started_at": f"2025-03-{start}:00-04:00", "ended_at": f"2025-03-{end}:00-04:00"}


_PT1: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (
        "patient.enrolled.v1",
        "2025-01-06T14:00:00Z",
        {
            "effective_on": "2025-01-06",
            "timezone": "America/New_York",
            "billing_practitioner": {"npi": _NPI, "credential": "MD"},
        },
    ),
    (
        "visit.recorded.v1",
        "2025-01-06T14:30:00Z",
        {"on": "2025-01-06", "hcpcs": "99214", "npi": _NPI, "ccm_discussed": True},
    ),
    (
        "consent.recorded.v1",
        "2025-01-06T14:31:00Z",
        {"consented_on": "2025-01-06", "method": "written", "npi": _NPI},
    ),
    ("condition.recorded.v1", "2025-01-06T14:32:00Z", {"code": "I10", "chronic": True}),
    ("condition.recorded.v1", "2025-01-06T14:33:00Z", {"code": "E11.9", "chronic": True}),
    ("condition.recorded.v1", "2025-01-06T14:34:00Z", {"code": "J06.9", "chronic": False}),
    (
        "condition.resolved.v1",
        "2025-01-20T15:00:00Z",
        {"code": "J06.9", "resolved_on": "2025-01-20"},
    ),
    (
        "care_plan.recorded.v1",
        "2025-01-06T15:00:00Z",
        {"action": "established", "on": "2025-01-06", "document": "cp-1"},
    ),
    (
        "time.logged.v1",
        "2025-03-05T15:20:00Z",
        {
            "entry_id": "t1",
            "performer": _NURSE,
            "activity": "care_coordination",
            **_clocked("05T10:00", "05T10:18"),
        },
    ),
    (
        "time.logged.v1",
        "2025-03-21T14:10:00Z",
        {
            "entry_id": "t2",
            "performer": _NURSE,
            "activity": "medication_review",
            "performed_on": "2025-03-21",
            "seconds": 600,
        },
    ),
    (
        "time.amended.v1",
        "2025-03-21T14:20:00Z",
        {
            "entry_id": "t2",
            "performer": _NURSE,
            "activity": "medication_review",
            "performed_on": "2025-03-21",
            "seconds": 1440,
            "reason": "the call was longer",
        },
    ),
    (
        "complexity.assessed.v1",
        "2025-03-21T14:30:00Z",
        {"month": MONTH, "mdm": "low", "npi": _NPI},
    ),
)

_PT2: Final[tuple[tuple[str, str, dict[str, Any]], ...]] = (
    (
        "time.voided.v1",
        "2025-03-06T15:00:00Z",
        {"entry_id": "t9", "reason": "logged for another patient"},
    ),
    (
        "service.billed.v1",
        "2025-02-03T15:00:00Z",
        {"hcpcs": "G0181", "from": "2025-02-01", "through": "2025-02-28", "npi": _NPI},
    ),
    (
        "stay.recorded.v1",
        "2025-02-10T15:00:00Z",
        {"kind": "inpatient", "admitted_on": "2025-02-04", "discharged_on": "2025-02-09"},
    ),
    (
        "month.claimed.v1",
        "2025-02-03T15:00:00Z",
        {
            "month": "2025-01",
            "codes": [{"code": "99490", "units": 1}],
            "claim_id": "c1",
            "submitted_on": "2025-02-03",
        },
    ),
    ("month.reopened.v1", "2025-02-04T15:00:00Z", {"month": "2025-01", "reason": "denied"}),
    ("consent.revoked.v1", "2025-02-20T15:00:00Z", {"revoked_on": "2025-02-20"}),
    (
        "patient.disenrolled.v1",
        "2025-02-20T15:01:00Z",
        {"effective_on": "2025-02-28", "reason": "moved away"},
    ),
    ("patient.died.v1", "2025-03-02T15:00:00Z", {"died_on": "2025-03-01"}),
    ("identity.linked.v1", "2025-03-02T15:01:00Z", {"system": "urn:ehr:mrn", "value": "0042"}),
    ("patient.merged.v1", "2025-03-02T15:02:00Z", {"into": "pt-7"}),
    (
        "event.retracted.v1",
        "2025-03-03T15:00:00Z",
        {"event_source": "urn:ehr:example", "event_id": "pt2-8", "reason": "entered in error"},
    ),
)


class Sent(NamedTuple):
    """What the product sends of the examples that it takes."""

    alert: TransitionRow
    assessment: bytes
    checkpoint: str


def events() -> Iterator[dict[str, Any]]:
    """CloudEvents, at least one of every type."""
    for patient, facts in (("pt1", _PT1), ("pt2", _PT2)):
        for number, (type, time, data) in enumerate(facts, 1):
            yield {
                "specversion": "1.0",
                "id": f"{patient}-{number}",
                "source": "urn:ehr:example",
                "type": type,
                "practiceid": PRACTICE,
                "subject": patient,
                "time": time,
                "data": data,
            }


@lru_cache(maxsize=1)
def sent() -> Sent:
    """The alert that the first patient's month reached its code, that month, and the seal over all
    of it."""
    store = open_store("sqlite:///:memory:")
    ingest = Ingest(store, lambda: RECORDED_AT_US, BOOK, lambda _: Policy())
    for event in events():
        outcome = ingest.take([Delivery(json.dumps(event).encode(), None, (), "example")])
        assert outcome.accepted == 1, outcome
    alerts = deliverable(store, 0, 1000).rows
    reached = next(row for row in alerts if row.state.type == "threshold.reached")
    (assessment,) = store.assessments(PRACTICE, "pt1", MONTH)
    note = seal(store, SIGNER, lambda: RECORDED_AT_US + 1_000_000).note
    store.close()
    return Sent(reached, assessment, note)
