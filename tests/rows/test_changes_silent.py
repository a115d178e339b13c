"""What a snapshot brings alerts nobody; what is streamed afterwards does."""

from __future__ import annotations

import json
from typing import Any

from projections.ports import Store
from services.ingest import Delivery
from tests.rows.changed import MS, change, row, tables
from tests.rows.made import Kept

NPI = "1000000004"


def chart() -> list[tuple[str, dict[str, Any]]]:
    """Everything but time that March needs."""
    practitioner = {"npi": NPI, "credential": "MD"}
    on = "2025-01-02"
    enrolled = {"effective_on": on, "timezone": "America/New_York"}
    return [
        ("patient.enrolled.v1", {**enrolled, "billing_practitioner": practitioner}),
        ("visit.recorded.v1", {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}),
        ("consent.recorded.v1", {"consented_on": on, "method": "written", "npi": NPI}),
        ("condition.recorded.v1", {"code": "I10", "chronic": True}),
        ("condition.recorded.v1", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded.v1", {"action": "established", "on": on}),
    ]


def enrol(kept: Kept) -> None:
    for number, (type, data) in enumerate(chart()):
        event = {
            "specversion": "1.0",
            "id": str(number),
            "source": "s",
            "type": type,
            "practiceid": "p1",
            "subject": "pt1",
            "time": "2025-01-02T17:00:00Z",
            "data": data,
        }
        kept.ingest.take([Delivery(json.dumps(event).encode(), None, (), "test:0")])


def told(store: Store) -> list[tuple[str, str | None]]:
    return [(each.state.type, each.suppressed) for each in store.transitions(0, 99)]


def test_a_threshold_that_a_snapshot_reaches_is_stored_and_told_to_nobody(
    rows_store: Store,
) -> None:
    kept = Kept(rows_store, tables())
    enrol(kept)
    kept.change(change("r", row(minutes=25), snapshot="true"))
    assert told(rows_store) == [("threshold.reached", "history")]
    kept.change(change("c", row(8, minutes=0, began=MS * 1000 - 5_100_000_000), lsn=110, ms=MS + 5))
    later = told(rows_store)[1:]
    assert ("threshold.reached", None) in later
    (answer,) = kept.answers()
    assert answer["codes"] == [{"code": "99490", "units": 1}, {"code": "99439", "units": 1}]
