"""Stored transitions for sink tests, as ingest would have stored them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import msgspec

from infra.clock import system_clock
from infra.codec import utc_text
from projections.ports import AlertState, Batch, Store, StoredEvent, TransitionRow

_versions = count(1)


def this_month() -> str:
    return utc_text(system_clock())[:7]


def transition(
    number: int = 1,
    patient: str = "pt1",
    practice: str = "p1",
    type: str = "threshold.reached",
    month: str | None = None,
    code: str = "99490",
    at_us: int | None = None,
) -> TransitionRow:
    """Odd numbers raise, even ones resolve; one alert a patient and type."""
    state = AlertState(
        f"{practice}-{patient}-{type}",
        month or this_month(),
        type,
        code,
        1 if code else 0,
        number,
        raised=number % 2 == 1,
    )
    recorded_at_us = at_us or system_clock()
    row = TransitionRow(f"{practice}/{patient}", practice, patient, state, recorded_at_us, b"")
    return row._replace(body=_body(row))


def _body(row: TransitionRow) -> bytes:
    s = row.state
    return msgspec.json.encode(
        {
            "alert_id": s.alert_id,
            "transition": s.transition,
            "state": "raised" if s.raised else "resolved",
            "type": s.type,
            "practice_id": row.practice_id,
            "patient_id": row.patient_id,
            "month": s.month,
            "code": s.code,
            "unit": s.unit,
            "seconds_to_go": None,
        }
    )


def store_them(store: Store, rows: Sequence[TransitionRow]) -> None:
    """Store transitions with the event that caused them: the log moves."""
    version = next(_versions)
    key = version.to_bytes(16, "big")
    event = StoredEvent(f"p1/cause{version}", 1, "time.logged.v1", b"{}", key)
    store.commit(Batch(events=[event], versions={event.stream_id: 1}, transitions=list(rows)))
