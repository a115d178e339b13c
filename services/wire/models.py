"""The `data` of every event type, word for word as the contract has it.

Strict: nothing is coerced. Unknown members are ignored here and kept in what is stored.
An optional member without a default may also be null, which means the same as absent.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from domain import facts
from domain.rejections import Reason
from services.wire import limits
from services.wire.base import EventData, WireModel
from services.wire.entry_models import TimeAmended, TimeLogged, TimeVoided
from services.wire.refusal import refused
from services.wire.scalars import (
    Day,
    Flag,
    Hcpcs,
    Icd10,
    Identifier,
    Locality,
    Month,
    Npi,
    Source,
    Text,
    Units,
    Zone,
)


class BillingPractitioner(WireModel):
    npi: Npi
    credential: Identifier


class PatientEnrolled(EventData):
    effective_on: Day
    timezone: Zone
    billing_practitioner: BillingPractitioner
    provider_kind: Literal["practitioner", "rhc", "fqhc"] = "practitioner"
    setting: Literal["nonfacility", "facility"] = "nonfacility"
    locality: Locality | None = None
    new_patient: Flag = False

    def fact(self) -> facts.Fact:
        billing = self.billing_practitioner
        return facts.PatientEnrolled(
            self.effective_on,
            self.timezone,
            facts.Practitioner(billing.npi, billing.credential),
            self.provider_kind,
            self.setting,
            self.locality,
            self.new_patient,
        )


class PatientDisenrolled(EventData):
    effective_on: Day
    reason: Text

    def fact(self) -> facts.Fact:
        return facts.PatientDisenrolled(self.effective_on, self.reason)


class PatientDied(EventData):
    died_on: Day

    def fact(self) -> facts.Fact:
        return facts.PatientDied(self.died_on)


class ConsentRecorded(EventData):
    consented_on: Day
    method: Literal["verbal", "written"]
    npi: Npi

    def fact(self) -> facts.Fact:
        return facts.ConsentRecorded(self.consented_on, self.method, self.npi)


class ConsentRevoked(EventData):
    revoked_on: Day

    def fact(self) -> facts.Fact:
        return facts.ConsentRevoked(self.revoked_on)


class ConditionRecorded(EventData):
    code: Icd10
    chronic: Flag
    onset_on: Day | None = None

    def fact(self) -> facts.Fact:
        return facts.ConditionRecorded(self.code, self.chronic, self.onset_on)


class ConditionResolved(EventData):
    code: Icd10
    resolved_on: Day

    def fact(self) -> facts.Fact:
        return facts.ConditionResolved(self.code, self.resolved_on)


class CarePlanRecorded(EventData):
    action: Literal["established", "revised", "reviewed", "shared"]
    on: Day
    document: Text | None = None

    def fact(self) -> facts.Fact:
        return facts.CarePlanRecorded(self.action, self.on, self.document)


class VisitRecorded(EventData):
    on: Day
    hcpcs: Hcpcs
    npi: Npi
    ccm_discussed: Flag = False

    def fact(self) -> facts.Fact:
        return facts.VisitRecorded(self.on, self.hcpcs, self.npi, self.ccm_discussed)


class ComplexityAssessed(EventData):
    month: Month
    mdm: Literal["straightforward", "low", "moderate", "high"]
    npi: Npi

    def fact(self) -> facts.Fact:
        return facts.ComplexityAssessed(self.month, self.mdm, self.npi)


class ServiceBilled(EventData):
    hcpcs: Hcpcs
    from_on: Day = Field(alias="from")
    through: Day
    npi: Npi

    def fact(self) -> facts.Fact:
        if self.through < self.from_on:
            raise refused(
                Reason.ENDS_BEFORE_START,
                "data.through",
                f"a date not before data.from ({self.from_on})",
                str(self.through),
            )
        return facts.ServiceBilled(self.hcpcs, self.from_on, self.through, self.npi)


class StayRecorded(EventData):
    kind: Literal["inpatient", "snf_part_a", "other"]
    admitted_on: Day
    discharged_on: Day | None = None

    def fact(self) -> facts.Fact:
        if self.discharged_on is not None and self.discharged_on < self.admitted_on:
            raise refused(
                Reason.ENDS_BEFORE_START,
                "data.discharged_on",
                f"a date not before data.admitted_on ({self.admitted_on})",
                str(self.discharged_on),
            )
        return facts.StayRecorded(self.kind, self.admitted_on, self.discharged_on)


class ClaimLine(WireModel):
    code: Hcpcs
    units: Units


ClaimLines = Annotated[
    list[ClaimLine],
    Field(
        min_length=1,
        max_length=limits.CLAIM_CODES_MAX,
        description=f"a list of 1 to {limits.CLAIM_CODES_MAX} codes with units",
    ),
]


class MonthClaimed(EventData):
    month: Month
    codes: ClaimLines
    claim_id: Identifier
    submitted_on: Day

    def fact(self) -> facts.Fact:
        codes = tuple(facts.CodeUnits(line.code, line.units) for line in self.codes)
        return facts.MonthClaimed(self.month, codes, self.claim_id, self.submitted_on)


class MonthReopened(EventData):
    month: Month
    reason: Text

    def fact(self) -> facts.Fact:
        return facts.MonthReopened(self.month, self.reason)


class EventRetracted(EventData):
    event_source: Source
    event_id: Identifier
    reason: Text

    def fact(self) -> facts.Fact:
        return facts.EventRetracted(self.event_source, self.event_id, self.reason)


class IdentityLinked(EventData):
    system: Source
    value: Identifier

    def fact(self) -> facts.Fact:
        return facts.IdentityLinked(self.system, self.value)


class PatientMerged(EventData):
    into: Identifier

    def fact(self) -> facts.Fact:
        return facts.PatientMerged(self.into)


DATA_OF_TYPE: dict[str, type[EventData]] = {
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
