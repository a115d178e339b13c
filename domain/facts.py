"""Every inbound fact, frozen, in the words of the contract: what happened, not what follows.

Dates are in the patient's own zone. Instants are whole seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

Instant = int
"""Whole seconds since the Unix epoch, UTC."""

Month = str
"""A calendar month as `YYYY-MM`; sorts as it reads."""


class Role(StrEnum):
    """Who did the work, as far as counting goes."""

    CLINICAL_STAFF = "clinical_staff"
    BILLING_PRACTITIONER = "billing_practitioner"
    OTHER_PRACTITIONER = "other_practitioner"
    NON_CLINICAL = "non_clinical"


@dataclass(frozen=True, slots=True)
class Practitioner:
    """The billing practitioner of an enrolment: national provider identifier and credential."""

    npi: str
    credential: str


@dataclass(frozen=True, slots=True)
class Performer:
    """Who logged the time."""

    id: str
    role: Role
    outside_us: bool = False


@dataclass(frozen=True, slots=True)
class Clocked:
    """Work with a known start and end; `ended_at` is exclusive and later than `started_at`."""

    started_at: Instant
    ended_at: Instant


@dataclass(frozen=True, slots=True)
class Unclocked:
    """Work of which only the day and the length are known."""

    performed_on: date
    seconds: int


Work = Clocked | Unclocked


@dataclass(frozen=True, slots=True)
class PatientEnrolled:
    effective_on: date
    timezone: str
    billing_practitioner: Practitioner
    provider_kind: Literal["practitioner", "rhc", "fqhc"] = "practitioner"
    setting: Literal["nonfacility", "facility"] = "nonfacility"
    locality: str | None = None
    new_patient: bool = False


@dataclass(frozen=True, slots=True)
class PatientDisenrolled:
    """`effective_on` is the last day in the programme."""

    effective_on: date
    reason: str


@dataclass(frozen=True, slots=True)
class PatientDied:
    died_on: date


@dataclass(frozen=True, slots=True)
class ConsentRecorded:
    consented_on: date
    method: Literal["verbal", "written"]
    npi: str


@dataclass(frozen=True, slots=True)
class ConsentRevoked:
    revoked_on: date


@dataclass(frozen=True, slots=True)
class ConditionRecorded:
    """`chronic` is the clinician's attestation, not something derived from the code."""

    code: str
    chronic: bool
    onset_on: date | None = None


@dataclass(frozen=True, slots=True)
class ConditionResolved:
    code: str
    resolved_on: date


@dataclass(frozen=True, slots=True)
class CarePlanRecorded:
    action: Literal["established", "revised", "reviewed", "shared"]
    on: date
    document: str | None = None


@dataclass(frozen=True, slots=True)
class VisitRecorded:
    on: date
    hcpcs: str
    npi: str
    ccm_discussed: bool = False


@dataclass(frozen=True, slots=True)
class TimeLogged:
    entry_id: str
    performer: Performer
    activity: str
    work: Work
    program: str = "ccm"


@dataclass(frozen=True, slots=True)
class TimeAmended:
    """The whole entry anew, and why."""

    entry_id: str
    performer: Performer
    activity: str
    work: Work
    reason: str
    program: str = "ccm"


@dataclass(frozen=True, slots=True)
class TimeVoided:
    entry_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class ComplexityAssessed:
    """Medical decision making of one month, as the practitioner judged it."""

    month: Month
    mdm: Literal["straightforward", "low", "moderate", "high"]
    npi: str


@dataclass(frozen=True, slots=True)
class ServiceBilled:
    """A service that somebody billed for this patient; both days inclusive."""

    hcpcs: str
    from_on: date
    through_on: date
    npi: str


@dataclass(frozen=True, slots=True)
class StayRecorded:
    """A stay; an absent `discharged_on` means: still there until told otherwise."""

    kind: Literal["inpatient", "snf_part_a", "other"]
    admitted_on: date
    discharged_on: date | None = None


@dataclass(frozen=True, slots=True)
class CodeUnits:
    code: str
    units: int


@dataclass(frozen=True, slots=True)
class MonthClaimed:
    month: Month
    codes: tuple[CodeUnits, ...]
    claim_id: str
    submitted_on: date


@dataclass(frozen=True, slots=True)
class MonthReopened:
    month: Month
    reason: str


@dataclass(frozen=True, slots=True)
class EventRetracted:
    """Withdraws the event (`event_source`, `event_id`) of this patient, whichever arrives first."""

    event_source: str
    event_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class IdentityLinked:
    """In this identifier system this value means this patient. Who says so last is believed."""

    system: str
    value: str


@dataclass(frozen=True, slots=True)
class PatientMerged:
    """This record ends: it was one of the patient `into`."""

    into: str


class Boundary(StrEnum):
    """An instant in a month at which alerts may change by themselves."""

    AT_RISK = "at-risk"
    """The local midnight from which few days are left (`Policy.at_risk_days`)."""
    MONTH_OVER = "month-over"


@dataclass(frozen=True, slots=True)
class ClockTicked:
    """A boundary changed an alert. Said by our own clock; `time` is the boundary's instant."""

    month: Month
    boundary: Boundary


TimeFact = TimeLogged | TimeAmended | TimeVoided

Fact = (
    PatientEnrolled
    | PatientDisenrolled
    | PatientDied
    | ConsentRecorded
    | ConsentRevoked
    | ConditionRecorded
    | ConditionResolved
    | CarePlanRecorded
    | VisitRecorded
    | TimeLogged
    | TimeAmended
    | TimeVoided
    | ComplexityAssessed
    | ServiceBilled
    | StayRecorded
    | MonthClaimed
    | MonthReopened
    | EventRetracted
    | IdentityLinked
    | PatientMerged
    | ClockTicked
)

FACT_OF_TYPE: dict[str, type[Fact]] = {
    "patient.enrolled.v1": PatientEnrolled,
    "patient.disenrolled.v1": PatientDisenrolled,
    "patient.died.v1": PatientDied,
    "consent.recorded.v1": ConsentRecorded,
    "consent.revoked.v1": ConsentRevoked,
    "condition.recorded.v1": ConditionRecorded,
    "condition.resolved.v1": ConditionResolved,
    "care_plan.recorded.v1": CarePlanRecorded,
    "visit.recorded.v1": VisitRecorded,
    "time.logged.v1": TimeLogged,
    "time.amended.v1": TimeAmended,
    "time.voided.v1": TimeVoided,
    "complexity.assessed.v1": ComplexityAssessed,
    "service.billed.v1": ServiceBilled,
    "stay.recorded.v1": StayRecorded,
    "month.claimed.v1": MonthClaimed,
    "month.reopened.v1": MonthReopened,
    "event.retracted.v1": EventRetracted,
    "identity.linked.v1": IdentityLinked,
    "patient.merged.v1": PatientMerged,
}
"""Stable names of the events that come in: the only way such a name becomes a class."""

TICK_TYPE = "clock.ticked.v1"
"""Stable name of the one event that we say ourselves; no sender may."""

CLOCK_SOURCE = "caretally:clock"
"""The `source` of ticks; no sender may use it."""
