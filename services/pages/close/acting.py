"""Marking months as claimed, and taking claims back: a person's act, with who and why.

All selected months are taken in one transaction or none is. What a month says is compared with what
the person saw, and the transaction holds only if nothing was added to any of these patients since:
a month that changed is named, and nothing is half done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal
from uuid import UUID, uuid5

from domain.event import Event
from domain.facts import Month, MonthClaimed, MonthReopened
from services.bootstrap import Parts
from services.histories import History, histories_of
from services.ingest import Busy, Ingest
from services.pages.close.selecting import Refused, Selected, Stale, changed, current_rows
from services.pages.saying import SOURCE, TRIES_MAX, Moved, document, take_whole, versions_of
from services.views.months import Row

Kind = Literal["claim", "reopen"]
NOTHING_SUPPORTED: Final = "nothing is supported, so nothing can be claimed: reopen it instead"


@dataclass(frozen=True, slots=True)
class Act:
    """What a person decided. `id` is the act's own: the same act sent twice is one act."""

    kind: Kind
    id: UUID
    practice: str
    month: Month
    selected: Sequence[Selected]
    by: str
    reason: str
    submitted_on: date
    """The day of the claim; of no matter to a reopening."""


def perform(parts: Parts, ingest: Ingest, act: Act) -> int:
    """Do it, and return when it is durable: how many months it took.

    Raises Stale for months that are not as they were shown; NotTaken, Busy, and whatever an outage
    of the store raises: nothing was written then.
    """
    for _ in range(TRIES_MAX):
        try:
            return _attempt(parts, ingest, act)
        except Moved:
            continue
    raise Busy("other events of these patients keep coming in")


def _attempt(parts: Parts, ingest: Ingest, act: Act) -> int:
    now = parts.clock() // 1_000_000
    rows = current_rows(parts.store, now, act.practice, act.month, act.selected)
    addresses = [(act.practice, one.patient_id) for one in act.selected]
    histories = list(histories_of(parts.store, addresses))
    done = {history.patient_id for history in histories if _is_done(act, history)}
    open_yet = [one for one in act.selected if one.patient_id not in done]
    refused = [*changed(open_yet, rows), *_unfit(act, open_yet, rows)]
    if refused:
        raise Stale(refused)
    todo = [history for history in histories if history.patient_id not in done]
    versions = versions_of(todo)
    for history in todo:
        if len(history.stored) != rows[history.patient_id].version:
            raise Moved
    if todo:
        said = [_document(act, rows, history, now) for history in todo]
        take_whole(parts, ingest, said, list(versions), versions)
    return len(histories)


def _unfit(act: Act, selected: Sequence[Selected], rows: Mapping[str, Row]) -> Iterator[Refused]:
    """Months as they were shown, of which this cannot be done."""
    for one in selected:
        row = rows.get(one.patient_id)
        if row is None or row.mark != one.mark:
            continue
        if act.kind == "reopen" and row.status not in ("claimed", "diverged"):
            yield Refused(one.patient_id, "no claim stands on it")
        elif act.kind == "claim" and row.status == "claimed":
            yield Refused(one.patient_id, "it is claimed already")
        elif act.kind == "claim" and (row.status == "blocked" or not row.codes):
            yield Refused(one.patient_id, NOTHING_SUPPORTED)


def event_id(act: Act, patient: str) -> str:
    """One for each month of an act, the same whenever the act is sent."""
    return str(uuid5(act.id, f"{act.kind} {act.practice} {act.month} {patient}"))


def _is_done(act: Act, history: History) -> bool:
    last = _last_word(history, act.month)
    key = (SOURCE, event_id(act, history.patient_id))
    return last is not None and last.key == key


def _last_word(history: History, month: Month) -> Event | None:
    """The latest claim or reopening of the month, by the order in which such facts stand."""
    patient = history.patient()
    found = [
        event
        for event in patient.ground
        if isinstance(event.fact, MonthClaimed | MonthReopened) and event.fact.month == month
    ]
    standing = [event for event in found if event.key not in patient.withdrawn]
    return max(standing, key=lambda event: event.order, default=None)


def _document(act: Act, rows: Mapping[str, Row], history: History, now: int) -> dict[str, Any]:
    """The event. It is said now, and after what was said last of the month's claim: else it would
    not stand."""
    last = _last_word(history, act.month)
    at = now if last is None else max(now, last.time + 1)
    kind = "month.claimed.v1" if act.kind == "claim" else "month.reopened.v1"
    id, data = event_id(act, history.patient_id), _data(act, rows[history.patient_id])
    return document(id, kind, act.practice, history.patient_id, at, data)


def _data(act: Act, row: Row) -> dict[str, Any]:
    said = {"month": act.month, "entered_by": act.by, "reason": act.reason}
    if act.kind == "reopen":
        return said
    codes = [{"code": line.code, "units": line.units} for line in row.codes]
    claim_id = event_id(act, row.patient_id)
    return {
        **said,
        "codes": codes,
        "claim_id": claim_id,
        "submitted_on": act.submitted_on.isoformat(),
    }
