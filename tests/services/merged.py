"""Merged records in small: events, an ingest core, and the same by replay."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from projections.ports import Store
from services.ingest import Delivery, Ingest
from services.replay import Replay

NOW_US = 1_742_000_000_000_000
NPI = "1000000004"
Document = dict[str, Any]


def said(id: str, patient: str, type: str, data: Document, second: int) -> Document:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "/ehr",
        "type": type,
        "practiceid": "p1",
        "subject": patient,
        "time": f"2025-03-12T10:{second // 60:02d}:{second % 60:02d}Z",
        "data": data,
    }


def chart(patient: str, at: int = 0) -> list[Document]:
    practitioner = {"npi": NPI, "credential": "MD"}
    facts: list[tuple[str, Document]] = [
        ("patient.enrolled.v1", {"effective_on": "2025-01-01", "timezone": "America/New_York",
                                 "billing_practitioner": practitioner}),
        ("consent.recorded.v1", {"consented_on": "2025-01-01", "method": "written", "npi": NPI}),
        ("visit.recorded.v1", {"on": "2025-01-01", "hcpcs": "99214", "npi": NPI,
                               "ccm_discussed": True}),
        ("condition.recorded.v1", {"code": "I10", "chronic": True}),
        ("condition.recorded.v1", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded.v1", {"action": "established", "on": "2025-01-01"}),
    ]  # fmt: skip
    return [
        said(f"{patient}-{n}", patient, type, data, at + n) for n, (type, data) in enumerate(facts)
    ]


def call(id: str, patient: str, minutes: int, at: int) -> Document:
    data = {
        "entry_id": id,
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "phone_call",
        "performed_on": f"2025-03-{at % 9 + 1:02d}",
        "seconds": 60 * minutes,
    }
    return said(f"log-{id}", patient, "time.logged.v1", data, at)


def void(id: str, patient: str, at: int) -> Document:
    data = {"entry_id": id, "reason": "wrong"}
    return said(f"void-{id}", patient, "time.voided.v1", data, at)


def merge(losing: str, into: str, id: str = "", at: int = 100) -> Document:
    return said(id or f"merge-{losing}-{into}", losing, "patient.merged.v1", {"into": into}, at)


def retract(event: str, patient: str, at: int = 200, id: str = "") -> Document:
    data = {"event_source": "/ehr", "event_id": event, "reason": "wrong"}
    return said(id or f"not-{event}", patient, "event.retracted.v1", data, at)


class Kept:
    """An ingest core over a store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.ingest = Ingest(store, lambda: NOW_US, BOOK, lambda _: Policy())

    def take(self, *documents: Document) -> list[str]:
        """Take a batch; the reasons of what was refused."""
        found = [Delivery(json.dumps(d).encode(), None, (), "test") for d in documents]
        outcome = self.ingest.take(found)
        return [result.reason for result in outcome.results if result is not None]

    def answers(self) -> list[Document]:
        """The assessments, without what hangs on how many events made them."""
        return [plain(json.loads(line)) for line in self.store.assessments()]


def plain(answer: Document) -> Document:
    return {name: value for name, value in answer.items() if name != "stream_version"}


def replayed(documents: Sequence[Document]) -> list[Document]:
    replay = Replay()
    for document in documents:
        assert replay.take(json.dumps(document).encode()) is None
    found = replay.answers(BOOK, lambda _: Policy())
    return [plain(json.loads(assessment_json(answer))) for answer in found]


def of_one(documents: Sequence[Document], *losing: str, into: str) -> list[Document]:
    """The events with those of merged records addressed to the patient who stays."""
    return [
        {**each, "subject": into if each["subject"] in losing else each["subject"]}
        for each in documents
        if each["type"] != "patient.merged.v1"
    ]


STORY = [*chart("a"), call("t1", "a", 12, 20), *chart("b", 30), call("t2", "b", 9, 40)]
