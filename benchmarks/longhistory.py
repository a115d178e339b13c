"""Patients with long histories: ten years of entries, 166 a month, in order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.workload import NPI
from services.demo.vocabulary import clocked, message, performer, to_line

BETWEEN = timedelta(days=3_652) / 20_000
"""So that 20,000 entries fill ten years; a shorter history is as dense, and younger."""

LAST = datetime(2025, 1, 1, tzinfo=UTC)
"""When every history ends and its new events begin."""


def history(entries: int, patient: str) -> list[bytes]:
    """Six facts that complete the chart, and so many entries up to `LAST`."""
    first = LAST - (entries + 1) * BETWEEN
    on = first.date().isoformat()
    practitioner = {"npi": NPI, "credential": "MD"}
    zone = "America/New_York"
    chart: list[tuple[str, dict[str, Any]]] = [
        (
            "patient.enrolled",
            {"effective_on": on, "timezone": zone, "billing_practitioner": practitioner},
        ),
        ("consent.recorded", {"consented_on": on, "method": "written", "npi": NPI}),
        ("visit.recorded", {"on": on, "hcpcs": "99214", "npi": NPI, "ccm_discussed": True}),
        ("condition.recorded", {"code": "I10", "chronic": True}),
        ("condition.recorded", {"code": "E11.9", "chronic": True}),
        ("care_plan.recorded", {"action": "established", "on": on}),
    ]
    said = [_said(patient, f"c{n}", type, first, data) for n, (type, data) in enumerate(chart)]
    return said + [entry(patient, n) for n in range(-entries, 0)]


def entry(patient: str, number: int) -> bytes:
    """The entry of that number; they count on through `LAST`, which is 0."""
    start = LAST + number * BETWEEN
    seconds = 60 + number % 240
    who = performer(f"rn-{number % 9}", "clinical_staff")
    data = clocked(f"{patient}-t{number}", who, "care_coordination", start, seconds)
    said_at = start + timedelta(seconds=seconds + 30)
    return _said(patient, f"e{number}", "time.logged", said_at, data)


def _said(patient: str, name: str, type: str, at: datetime, data: dict[str, Any]) -> bytes:
    return to_line(
        message(
            id=f"{patient}-{name}",
            source="/ehr/bench",
            type=type,
            practice="p1",
            patient=patient,
            time=at,
            data=data,
        )
    )
