"""How the simulated EHR says things: CloudEvents of the contract as plain dicts and lines."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

Message = dict[str, Any]
"""One CloudEvent in structured form."""

Data = dict[str, Any]
"""The `data` member of a CloudEvent."""


def message(
    *,
    id: str,
    source: str,
    type: str,
    practice: str,
    patient: str,
    time: datetime,
    data: Data,
) -> Message:
    """One CloudEvent; `type` without its version suffix, `time` with an offset."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": source,
        "type": f"{type}.v1",
        "practiceid": practice,
        "subject": patient,
        "time": instant(time),
        "data": data,
    }


def to_line(event: Message) -> bytes:
    """The event as one line of a JSON Lines file, newline included; equal dicts, equal bytes."""
    return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def instant(at: datetime) -> str:
    """RFC 3339 in UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def performer(id: str, role: str) -> Data:
    return {"id": id, "role": role}


def clocked(
    entry_id: str, who: Data, activity: str, start: datetime, seconds: int, program: str = "ccm"
) -> Data:
    """A time entry with a start and an end."""
    entry: Data = {
        "entry_id": entry_id,
        "performer": who,
        "activity": activity,
        "started_at": instant(start),
        "ended_at": instant(start + timedelta(seconds=seconds)),
    }
    return entry if program == "ccm" else entry | {"program": program}


def unclocked(
    entry_id: str, who: Data, activity: str, on: date, seconds: int, program: str = "ccm"
) -> Data:
    """A time entry of which only the day and the length are known."""
    entry: Data = {
        "entry_id": entry_id,
        "performer": who,
        "activity": activity,
        "performed_on": on.isoformat(),
        "seconds": seconds,
    }
    return entry if program == "ccm" else entry | {"program": program}


def month_of(day: date) -> str:
    return f"{day.year:04d}-{day.month:02d}"


def first_of_month(day: date, back: int = 0) -> date:
    """The first day of the month that lies `back` months before the day's own."""
    months = day.year * 12 + day.month - 1 - back
    return date(months // 12, months % 12 + 1, 1)
