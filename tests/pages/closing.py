"""A practice's March at its close: patients in every state, and acts upon them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from uuid import UUID

from domain import facts as f
from domain.event import Event
from projections.ports import Store
from services.ingest import Ingest
from services.pages.close.acting import Act, Kind
from services.pages.close.selecting import Selected
from services.views.months import Row, rows
from tests.audit.growing import DAY_US, GrowingLog
from tests.given import event, five_pm, ready, staff, voided

MONTH = "2025-03"
BEGIN_US = 1_743_508_800_000_000
"""2025-04-01T12:00:00Z: the month is over everywhere."""
TODAY = date(2025, 4, 4)
ACT = UUID("00000000-0000-4000-8000-000000000001")


def of(patient: str, events: Iterable[Event], practice: str = "p1") -> list[Event]:
    """These events as the patient's own."""
    moved = (replace(e, patient_id=patient, practice_id=practice) for e in events)
    return [replace(e, id=f"{patient}-{e.id}") for e in moved]


def claim(*codes: str, month: str = MONTH, on: str = "2025-04-02") -> Event:
    lines = tuple(f.CodeUnits(code, 1) for code in codes)
    return event(f.MonthClaimed(month, lines, "c1", date.fromisoformat(on)), five_pm(on))


def closing(store: Store) -> GrowingLog:
    """`ready` earned 99490 + 99439, `other` 99490; `fallen` claimed both and lost one; `claimed`
    stands; `blocked` has no consent; `old` earned in February and was never claimed."""
    log = GrowingLog(store)
    both = [staff("t1", "2025-03-05", 1_260), staff("t2", "2025-03-06", 1_200)]
    log.take(of("ready", [*ready(MONTH), *both]), BEGIN_US)
    log.take(of("other", [*ready(MONTH), both[0]]), BEGIN_US)
    log.take(of("fallen", [*ready(MONTH), *both, claim("99490", "99439")]), BEGIN_US + DAY_US)
    log.take(of("claimed", [*ready(MONTH), both[0], claim("99490")]), BEGIN_US + DAY_US)
    unasked = [e for e in ready(MONTH) if not isinstance(e.fact, f.ConsentRecorded)]
    log.take(of("blocked", [*unasked, *both]), BEGIN_US + DAY_US)
    log.take(of("old", [*ready(MONTH), staff("t3", "2025-02-10", 1_260)]), BEGIN_US + DAY_US)
    log.take(of("fallen", [voided("t2", "2025-04-03T12:00:00Z")]), BEGIN_US + 2 * DAY_US)
    log.now_us = BEGIN_US + 3 * DAY_US
    return log


def core(log: GrowingLog) -> Ingest:
    return log.ingest


def row_of(log: GrowingLog, patient: str, month: str = MONTH) -> Row:
    found = rows(log.store, log.now_us // 1_000_000, "p1", month)
    return next(row for row in found if row.patient_id == patient)


def selected(log: GrowingLog, *patients: str, month: str = MONTH) -> list[Selected]:
    """The months of these patients as a page shows them now."""
    return [Selected(patient, row_of(log, patient, month).mark) for patient in patients]


def act(
    log: GrowingLog,
    *patients: str,
    kind: Kind = "claim",
    id: UUID = ACT,
    chosen: list[Selected] | None = None,
) -> Act:
    """An act on these patients' months as they are now, or as they were `chosen`."""
    return Act(
        kind=kind,
        id=id,
        practice="p1",
        month=MONTH,
        selected=selected(log, *patients) if chosen is None else chosen,
        by="Ada Byron",
        reason="month close",
        submitted_on=TODAY,
    )
