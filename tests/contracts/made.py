"""Rows for store tests: real envelopes and keys, synthetic patients."""

from __future__ import annotations

from infra import codec
from infra.eventstore.rows import in_order
from projections.ports import (
    AlertState,
    AssessmentRow,
    Batch,
    DeadLetter,
    Snapshot,
    Store,
    StoredEvent,
    TransitionRow,
)

VOIDED = "time.voided.v1"


def stream(patient: str = "pt1", practice: str = "p1") -> str:
    return codec.stream_id(practice, patient)


def event(
    version: int, patient: str = "pt1", id: str | None = None, practice: str = "p1"
) -> StoredEvent:
    """One stored event; its id is `<patient>-<version>` unless given."""
    name = id or f"{patient}-{version}"
    state = codec.encode_state(
        source="urn:test:ehr",
        id=name,
        time_text="2025-03-05T16:00:00Z",
        recorded_at_us=1_741_190_400_000_001,
        previous=None,
        data=codec.canonical_json({"entry_id": name, "reason": "entered in error"}),
    )
    return StoredEvent(
        stream(patient, practice), version, VOIDED, state, codec.event_key("urn:test:ehr", name)
    )


def assessment(
    patient: str = "pt1", month: str = "2025-03", practice: str = "p1", status: str = "accruing"
) -> AssessmentRow:
    body = codec.canonical_json({"patient_id": patient, "month": month, "status": status})
    return AssessmentRow(stream(patient, practice), practice, patient, month, status, body)


def transition(number: int = 1, patient: str = "pt1", alert: str = "a1") -> TransitionRow:
    state = AlertState(
        alert, "2025-03", "threshold.reached", "99490", 1, number, raised=number % 2 == 1
    )
    body = b'{"alert":"%b","transition":%d}' % (alert.encode(), number)
    return TransitionRow(stream(patient), "p1", patient, state, 1_741_190_400_000_001, body)


def letter(value: bytes | None = b"{", origin: str = "http") -> DeadLetter:
    return DeadLetter(
        origin, "not-json", "", "It is not JSON.", value, None, (), 1_741_190_400_000_001
    )


def snapshot(version: int, form: str = "form a", patient: str = "pt1") -> Snapshot:
    return Snapshot(stream(patient), version, form, b"\x00%d\xff" % version)


def batch(*events: StoredEvent, **parts: object) -> Batch:
    """A batch whose versions follow from its events."""
    versions = {e.stream_id: e.version for e in in_order(events)}
    return Batch(events=list(events), **({"versions": versions} | parts))  # type: ignore[arg-type]


def contents(store: Store) -> dict[str, object]:
    """Everything a store answers, part by part: equal contents mean nothing was written."""
    streams = sorted(store.versions())
    return {
        "log": store.log(0, 100_000),
        "head": store.head(),
        "versions": store.versions(),
        "streams": store.load(streams),
        "snapshots": [kept.snapshot for kept in store.load(streams, "form a").values()],
        "assessments": list(store.assessments()),
        "transitions": store.transitions(0, 100_000),
        "dead_letters": store.dead_letters(0, 100_000),
        "tracking": [store.tracking(feed) for feed in ("feed/0", "feed/1")],
        "counts": store.counts(),
    }
