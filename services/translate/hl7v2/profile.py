"""The `[hl7v2]` part of a site profile: what the fields of one EHR's messages mean.

A value of a field is written `SEGMENT-FIELD|value`, such as `PV1-2|I`; with a component,
`PV1-3.4|EAST`. Of several that fit, the one that is written first counts.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from services.translate.parts import Activity, Part, Token
from services.wire.scalars import Hcpcs, Icd10, Identifier, Seconds, Source, Zone

_FORM = r"-[1-9]\d{0,2}(\.[1-9]\d?)?\|.+$"


def _valued(*segments: str) -> Any:
    described = "a value of a field as 'PV1-2|I'"
    return Field(pattern=f"^({'|'.join(segments)}){_FORM}", max_length=300, description=described)


OfVisit = Annotated[str, _valued("PV1", "PV2")]
OfProblem = Annotated[str, _valued("PRB")]
OfCharge = Annotated[str, _valued("FT1")]
OfDocument = Annotated[str, _valued("TXA")]


class Hl7Patient(Part):
    """Which identifier of PID-3 (and MRG-1) names the patient, and what it is to us."""

    authority: Identifier | None = None
    """Component 4: the namespace, or the universal id."""
    type: Identifier | None = None
    """Component 5, such as `MR`; an identifier without one counts where `authority` is given."""
    subject: Literal["linked", "id"] = "linked"
    """`id`: it is our patient id. `linked`: `identity.linked.v1` says whose it is."""
    system: Source | None = None
    """What those events call its system; without it `<source>/PID-3`."""


class Hl7Visits(Part):
    codes: dict[OfVisit, Hcpcs] = {}
    on: Literal["discharge", "registration"] = "discharge"
    """When a visit counts as held: at its end (A03, or PV1-45), or once it is registered."""


class Hl7Stays(Part):
    codes: dict[OfVisit, Literal["inpatient", "snf_part_a", "other", "none"]] = {
        "PV1-2|I": "inpatient"
    }


class Hl7Conditions(Part):
    systems: list[Identifier] = ["I10C", "ICD10CM", "ICD-10-CM"]
    """Names in PRB-3 that mean ICD-10-CM. `I10` means the WHO's in HL7; where a sender means
    ICD-10-CM by it, the profile says so."""
    icd10: dict[Token, Icd10] = {}
    chronic: list[OfProblem] = []
    """Values by which the clinician attests that a condition is chronic."""
    statuses: dict[OfProblem, Literal["active", "over", "not-confirmed"]] = {}
    """What local values of PRB-13 and PRB-14 mean."""


class TimeCharge(Activity):
    """A charge that stands for logged work: FT1-10 times `unit_seconds` on the day of FT1-4; or,
    without `unit_seconds`, from the start to the end in FT1-4."""

    unit_seconds: Seconds | None = None


class Hl7Charges(Part):
    time: dict[OfCharge, TimeCharge] = {}


class Document(Part):
    """What a document of this kind is: a care plan's action, or consent."""

    care_plan: Literal["established", "revised", "reviewed", "shared"] | None = None
    consent: Literal["verbal", "written"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Document:
        if (self.care_plan is None) == (self.consent is None):
            raise ValueError("care_plan, consent: expected one of them")
        return self


class Hl7v2(Part):
    senders: list[Annotated[str, Field(pattern=r"^[^|]*\|[^|]*$", max_length=400)]] = []
    """`MSH-3|MSH-4` of the systems that send; without any, every message is of this site."""
    source: Source | None = None
    """Of the events; without it the site's."""
    timezone: Zone | None = None
    """Of times without an offset; without it the site's."""
    processing: list[Literal["P", "T", "D"]] = ["P"]
    """MSH-11 of messages that are taken: production, training, debugging."""
    charset: Literal["ascii", "utf-8", "iso8859-1", "cp1252"] = "utf-8"
    """Of messages whose MSH-18 is empty."""
    patient: Hl7Patient = Hl7Patient()
    visits: Hl7Visits = Hl7Visits()
    stays: Hl7Stays = Hl7Stays()
    expired: list[Identifier] = ["20", "40", "41", "42"]
    """Discharge dispositions (PV1-36) that mean death."""
    conditions: Hl7Conditions = Hl7Conditions()
    charges: Hl7Charges = Hl7Charges()
    documents: dict[OfDocument, Document] = {}
