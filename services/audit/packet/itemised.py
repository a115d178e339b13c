"""The month's time, entry by entry, as rows and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime

from domain.explain.explanation import EntryAccount
from domain.facts import Clocked, TimeAmended, TimeLogged
from domain.time.calendar import zone
from services.audit.packet.evidence import Evidence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""


@dataclass(frozen=True, slots=True)
class TimeRow:
    """One entry, with the last word on its work where it was voided or withdrawn.

    Seconds are those that fall in the month; `logged` = `counted` + `excluded`. `started_at` and
    `ended_at` are the whole entry's, on the patient's clock, where it has clock times;
    `performed_on` where it has none. What stands of the entry was said in `event_id` of `source`;
    `revisions` counts everything ever said of it.
    """

    practice_id: str
    patient_id: str
    month: str
    entry_id: str
    state: str
    performer: str
    role: str
    activity: str
    program: str
    started_at: str
    ended_at: str
    performed_on: str
    timezone: str
    logged_seconds: int
    counted_seconds: int
    excluded_seconds: int
    excluded_why: str
    source: str
    event_id: str
    said_at: str
    recorded_at: str
    revisions: int


def time_rows(evidence: Evidence) -> list[TimeRow]:
    """One per entry that has, or under some revision had, time in the month; earliest first."""
    rows = [_row(evidence, account) for account in evidence.explained.entries]
    return sorted(rows, key=lambda row: (row.started_at or row.performed_on, row.entry_id))


def _row(evidence: Evidence, account: EntryAccount) -> TimeRow:
    answer = evidence.answer
    stands = account.stands
    event = evidence.patient.event((stands.source, stands.id)) if stands else None
    said = evidence.told[event.key] if event else None
    fact = _work(evidence, account)
    started = ended = on = performer = role = activity = program = ""
    if fact is not None:
        performer, role = fact.performer.id, fact.performer.role.value
        activity, program = fact.activity, fact.program
        if isinstance(fact.work, Clocked):
            started = local_text(fact.work.started_at, answer.timezone)
            ended = local_text(fact.work.ended_at, answer.timezone)
        else:
            on = fact.work.performed_on.isoformat()
    return TimeRow(
        practice_id=answer.practice_id,
        patient_id=answer.patient_id,
        month=answer.month,
        entry_id=account.entry_id,
        state=account.state,
        performer=performer,
        role=role,
        activity=activity,
        program=program,
        started_at=started,
        ended_at=ended,
        performed_on=on,
        timezone=answer.timezone,
        logged_seconds=account.logged,
        counted_seconds=account.counted,
        excluded_seconds=account.logged - account.counted,
        excluded_why="; ".join(f"{part.reason} {part.seconds}" for part in account.excluded),
        source=said.source if said else "",
        event_id=said.id if said else "",
        said_at=said.time if said else "",
        recorded_at=(said.recorded_at or "") if said else "",
        revisions=len(account.revisions),
    )


def _work(evidence: Evidence, account: EntryAccount) -> TimeLogged | TimeAmended | None:
    """What stands of the entry; where nothing does, the last that was said of the work."""
    told = [account.stands] if account.stands and account.state == "standing" else []
    told += [revision.event for revision in reversed(account.revisions)]
    for ref in told:
        event = evidence.patient.event((ref.source, ref.id))
        if event is not None and isinstance(event.fact, TimeLogged | TimeAmended):
            return event.fact
    return None


def local_text(instant: int, timezone: str) -> str:
    """An instant on the patient's clock, RFC 3339 with its offset."""
    return datetime.fromtimestamp(instant, UTC).astimezone(zone(timezone)).isoformat()


def time_csv(rows: Iterable[TimeRow]) -> bytes:
    """The rows with a head line (RFC 4180, UTF-8). A text that a spreadsheet would take for a
    formula has an apostrophe put before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([field.name for field in fields(TimeRow)])
    writer.writerows([cell(value) for value in astuple(row)] for row in rows)
    return out.getvalue().encode("utf-8", "surrogatepass")


def cell(value: object) -> object:
    """What a spreadsheet shows as it is, and never runs."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return "'" + value
    return value
