"""A stored event as an auditor reads it: what it is about, who said it, when, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from domain.event import Event, EventKey
from domain.explain.wording import codes, days, work_done
from domain.facts import (
    CarePlanRecorded,
    ClockTicked,
    ComplexityAssessed,
    ConditionRecorded,
    ConditionResolved,
    ConsentRecorded,
    ConsentRevoked,
    EventRetracted,
    Fact,
    IdentityLinked,
    MonthClaimed,
    MonthReopened,
    PatientDied,
    PatientDisenrolled,
    PatientEnrolled,
    PatientMerged,
    ServiceBilled,
    StayRecorded,
    TimeAmended,
    TimeLogged,
    TimeVoided,
    VisitRecorded,
)
from domain.merging import CARRIED_SOURCE
from infra.codec import instant_text
from projections.ports import StoredEvent
from services.histories import History


@dataclass(frozen=True, slots=True)
class Told:
    """One event. `time` is when its sender recorded the fact, `recorded_at` when we stored it.

    `performer` and `role` are of the person who worked, `npi` of the practitioner concerned,
    `reason` is the sender's own where the event has one, `by` the person who entered it where a
    page of ours took it; each is None where it has none.
    """

    version: int
    type: str
    source: str
    id: str
    time: str
    recorded_at: str | None
    about: str
    performer: str | None
    role: str | None
    npi: str | None
    reason: str | None
    by: str | None


class _Entered(msgspec.Struct, gc=False):
    """Members of an event's data that stand beside the fact: who entered it, and why."""

    entered_by: Any = None
    reason: Any = None


class _State(msgspec.Struct, gc=False):
    data: _Entered


_ENTERED = msgspec.json.Decoder(_State)


def told(history: History, timezone: str) -> dict[EventKey, Told]:
    """Every event of a history by its (`source`, `id`), in the order of the log.

    Clock times are given in `timezone`.
    """
    pairs = zip(history.stored, history.events, strict=True)
    return {event.key: _told(event, stored, timezone) for stored, event in pairs}


def second_text(seconds: int) -> str:
    """An instant in UTC by RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _carried(event: Event) -> str:
    """What stands before what is told again of a merged record."""
    return "carried over from a merged record: " if event.source == CARRIED_SOURCE else ""


def _told(event: Event, stored: StoredEvent, timezone: str) -> Told:
    fact, at = event.fact, event.recorded_at_us
    performer = getattr(fact, "performer", None)
    beside = _ENTERED.decode(stored.state).data
    return Told(
        version=stored.version,
        type=stored.name,
        source=event.source,
        id=event.id,
        time=second_text(event.time),
        recorded_at=None if at is None else instant_text(at),
        about=_carried(event) + about(fact, timezone),
        performer=performer.id if performer else None,
        role=performer.role.value if performer else None,
        npi=_npi(fact),
        reason=_text(beside.reason),
        by=_text(beside.entered_by),
    )


def _text(member: Any) -> str | None:
    """What a sender put beside the fact may be anything; only text tells something."""
    return member if isinstance(member, str) else None


def _npi(fact: Fact) -> str | None:
    if isinstance(fact, PatientEnrolled):
        return fact.billing_practitioner.npi
    npi: str | None = getattr(fact, "npi", None)
    return npi


def about(fact: Fact, timezone: str) -> str:
    """What the fact says, in one line."""
    match fact:
        case TimeLogged() | TimeAmended():
            program = "" if fact.program == "ccm" else f", programme {fact.program}"
            done = work_done(fact.work, timezone)
            return f"entry {fact.entry_id}, {fact.activity}{program}: {done}"
        case TimeVoided():
            return f"entry {fact.entry_id} voided"
        case EventRetracted():
            return f"event {fact.event_id} of {fact.event_source} withdrawn"
        case MonthClaimed():
            claimed = f"{codes(fact.codes)} submitted on {fact.submitted_on}"
            return f"claim {fact.claim_id} for {fact.month}: {claimed}"
        case MonthReopened():
            return f"claim for {fact.month} taken back"
        case ClockTicked():
            return f"our clock passed a boundary of {fact.month}: {fact.boundary.value}"
        case IdentityLinked():
            return f"an identifier of {fact.system} means this patient"
        case PatientMerged():
            return f"this record was merged into that of {fact.into}"
        case _:
            return _of_chart(fact)


def _of_chart(fact: Fact) -> str:
    match fact:
        case PatientEnrolled():
            who = fact.billing_practitioner
            place = f"{fact.provider_kind}, {fact.setting}"
            return f"enrolled from {fact.effective_on}: {who.npi} ({who.credential}), {place}"
        case PatientDisenrolled():
            return f"last day in the programme {fact.effective_on}"
        case PatientDied():
            return f"died on {fact.died_on}"
        case ConsentRecorded():
            return f"{fact.method} consent on {fact.consented_on}"
        case ConsentRevoked():
            return f"consent revoked on {fact.revoked_on}"
        case ConditionRecorded():
            onset = f", since {fact.onset_on}" if fact.onset_on else ""
            return f"condition {fact.code}, {'chronic' if fact.chronic else 'not chronic'}{onset}"
        case ConditionResolved():
            return f"condition {fact.code} resolved on {fact.resolved_on}"
        case _:
            return _of_care(fact)


def _of_care(fact: Fact) -> str:
    match fact:
        case CarePlanRecorded():
            document = f", document {fact.document}" if fact.document else ""
            return f"care plan {fact.action} on {fact.on}{document}"
        case VisitRecorded():
            talk = ", care management discussed" if fact.ccm_discussed else ""
            return f"visit {fact.hcpcs} on {fact.on}{talk}"
        case ComplexityAssessed():
            return f"decision making of {fact.month}: {fact.mdm}"
        case ServiceBilled():
            return f"service {fact.hcpcs} {days(fact.from_on, fact.through_on)}"
        case StayRecorded():
            return f"{fact.kind} stay {days(fact.admitted_on, fact.discharged_on)}"
        case _:
            raise TypeError(f"no words for {type(fact).__name__}")
