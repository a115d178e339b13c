"""A site, resources of it in three releases of FHIR, and an ingest core that knows it."""

from __future__ import annotations

import json
from typing import Any

from domain.policy import Policy
from domain.rules import BOOK
from infra.eventstore.translated import open_translations
from projections.ports import DeadLetter, Store
from services.ingest import Delivery, Ingest, Outcome
from services.translate.feed import FhirFeed
from services.translate.feeds import Feeds
from services.translate.marks import marked
from services.translate.site import Site

NOW_US = 1_742_000_000_000_000
NPI, OTHER_NPI = "1000000004", "1000000012"
BASE = "https://ehr.example/fhir"
SNOMED, ICD10 = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"
ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CPT = "http://www.ama-assn.org/go/cpt"
LOCAL = "https://ehr.example/codes"

PROFILE: dict[str, Any] = {
    "name": "river",
    "source": BASE,
    "practice": "p1",
    "timezone": "America/New_York",
    "patients": {"subject": "id"},
    "practitioners": [
        {"npi": NPI, "credential": "MD", "references": ["Practitioner/md1"]},
    ],
    "staff": [
        {"id": "rn1", "role": "clinical_staff", "references": ["Practitioner/rn1"]},
        {"id": "rn2", "role": "clinical_staff", "references": ["Practitioner/rn2"]},
    ],
    "enrolment": {"types": [f"{LOCAL}|ccm"]},
    "consents": {"codes": {f"{LOCAL}|ccm-consent": "written"}},
    "conditions": {
        "chronic": ["http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"],
        "icd10": {f"{SNOMED}|38341003": "I10"},
    },
    "time": {
        "tasks": {f"{LOCAL}|ccm-call": {"activity": "phone_call"}},
        "encounters": {f"{ACT}|VR": {"activity": "phone_call"}},
    },
    "visits": {"codes": {f"{SNOMED}|185345009": "99214"}, "discussed": [f"{LOCAL}|ccm-talk"]},
}


def site(**changes: Any) -> Site:
    """The profile with other members in place of its own."""
    return Site(**{**PROFILE, **changes})


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def meta(version: int | str = 1, at: str = "2025-03-10T17:00:00Z") -> dict[str, Any]:
    return {"meta": {"versionId": str(version), "lastUpdated": at}}


def to_patient(id: str = "pt1") -> dict[str, str]:
    return {"reference": f"Patient/{id}"}


def task(id: str = "t1", minutes: int = 20, version: int = 1, **changes: Any) -> dict[str, Any]:
    end = f"2025-03-05T10:{minutes:02d}:00-05:00"
    return {
        "resourceType": "Task",
        "id": id,
        **meta(version, f"2025-03-10T17:00:{version:02d}Z"),
        "status": "completed",
        "intent": "order",
        "code": coded(LOCAL, "ccm-call"),
        "for": to_patient(),
        "owner": {"reference": "Practitioner/rn1"},
        "executionPeriod": {"start": "2025-03-05T10:00:00-05:00", "end": end},
        **changes,
    }


def visit(id: str = "v1", version: int = 1, **changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": id,
        **meta(version, f"2025-03-10T17:00:{version:02d}Z"),
        "status": "finished",
        "class": {"system": ACT, "code": "AMB"},
        "type": [coded(SNOMED, "185345009"), coded(LOCAL, "ccm-talk")],
        "subject": to_patient(),
        "participant": [{"individual": {"reference": "Practitioner/md1"}}],
        "period": {"start": "2025-01-02T10:00:00-05:00", "end": "2025-01-02T10:20:00-05:00"},
        **changes,
    }


def episode(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "EpisodeOfCare",
        "id": "e1",
        **meta(),
        "status": "active",
        "type": [coded(LOCAL, "ccm")],
        "patient": to_patient(),
        "careManager": {"reference": "Practitioner/md1"},
        "period": {"start": "2025-01-02"},
        **changes,
    }


def consent(**changes: Any) -> dict[str, Any]:
    return {
        "resourceType": "Consent",
        "id": "c1",
        **meta(),
        "status": "active",
        "scope": coded("http://terminology.hl7.org/CodeSystem/consentscope", "treatment"),
        "category": [coded(LOCAL, "ccm-consent")],
        "patient": to_patient(),
        "dateTime": "2025-01-02",
        "provision": {
            "type": "permit",
            "actor": [
                {
                    "role": coded(f"{LOCAL}/roles", "biller"),
                    "reference": {"reference": "Practitioner/md1"},
                }
            ],
        },
        **changes,
    }


def condition(icd: str = "I10", **changes: Any) -> dict[str, Any]:
    status = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    verified = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
    category = "http://terminology.hl7.org/CodeSystem/condition-category"
    return {
        "resourceType": "Condition",
        "id": f"d-{icd}",
        **meta(),
        "clinicalStatus": coded(status, "active"),
        "verificationStatus": coded(verified, "confirmed"),
        "category": [coded(category, "problem-list-item")],
        "code": coded(ICD10, icd),
        "subject": to_patient(),
        "onsetDateTime": "2019-05-01",
        **changes,
    }


def care_plan(**changes: Any) -> dict[str, Any]:
    system = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category"
    return {
        "resourceType": "CarePlan",
        "id": "cp1",
        **meta(),
        "status": "active",
        "intent": "plan",
        "category": [coded(system, "assess-plan")],
        "subject": to_patient(),
        "period": {"start": "2025-01-02"},
        **changes,
    }


def chart() -> list[dict[str, Any]]:
    """Everything but time that a month needs."""
    return [episode(), visit(), consent(), condition("I10"), condition("E11.9"), care_plan()]


def raw(resource: Any) -> bytes:
    return json.dumps(resource).encode()


def delivery(value: bytes | None, *more: tuple[str, bytes], place: int = 0) -> Delivery:
    return Delivery(value, None, marked("river", *more), f"test:{place}")


class Fed:
    """A store fed with FHIR."""

    def __init__(self, store: Store, *sites: Site) -> None:
        self.store = store
        self.sites = {each.name: each for each in sites or (site(),)}
        self.feed = Feeds(open_translations(store), FhirFeed(self.sites))
        self.ingest = Ingest(store, lambda: NOW_US, BOOK, lambda _: Policy(), opener=self.feed)

    def take(self, *resources: Any, history: bool = False, **tracking: int) -> Outcome:
        """Take resources, or bytes as they are, in one batch."""
        marks = (("caretally-history", b"true"),) if history else ()
        values = [r if isinstance(r, bytes) else raw(r) for r in resources]
        found = [delivery(value, *marks, place=n) for n, value in enumerate(values)]
        return self.ingest.take(found, tracking)

    def answers(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.store.assessments()]

    def letters(self) -> list[DeadLetter]:
        return [each for each in self.store.dead_letters() if each.replayed_at_us is None]

    def events(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Type, id and data of everything in the log."""
        found = []
        for stored in self.store.log(0, 100_000):
            state = json.loads(stored.state)
            found.append((stored.name, state["id"], state["data"]))
        return found
