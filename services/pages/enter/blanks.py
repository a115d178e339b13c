"""Every form by which a person enters a fact, described once: pages, reading and errors follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.pages.enter.fields import Blank, Field

ROLES: Final = ("clinical_staff", "billing_practitioner", "other_practitioner", "non_clinical")
MDM: Final = ("straightforward", "low", "moderate", "high")
NPI: Final = Field("npi", "Billing practitioner", hint="National provider identifier, 10 digits")
REASON: Final = Field("reason", "Why", "note")
CODE: Final = Field("code", "Diagnosis", hint="ICD-10-CM code, such as E11.9")

WHO: Final = (
    Field("performer", "Who worked", member="performer.id", offers="performers"),
    Field("role", "Role", "choice", "performer.role", choices=ROLES),
    Field("activity", "Activity", offers="activities"),
)
WHEN: Final = (
    Field("on", "Day", "day"),
    Field("start", "Start", "clock", is_required=False, hint="09:15 or 09:15:30"),
    Field("end", "End", "clock", is_required=False, hint="or minutes"),
    Field("minutes", "Minutes", "length", is_required=False, hint="21 or 21:30; or an end"),
)
MORE: Final = (
    Field("program", "Programme", is_required=False, hint="ccm unless it is another's time"),
    Field("outside_us", "Worked outside the US", "flag", "performer.outside_us", False),
)
ENTRY: Final = Field("entry_id", "Entry", "kept")

_BLANKS: Final = (
    Blank(
        "time",
        "time.logged.v1",
        "Log time",
        "Log it",
        (*WHO, *WHEN, *MORE),
        "With a start, overlaps are seen. Without one only the day and the length are known.",
    ),
    Blank(
        "amend",
        "time.amended.v1",
        "Amend an entry",
        "Amend it",
        (ENTRY, *WHO, *WHEN, *MORE, REASON),
        "The whole entry anew. What it said before stays in the record.",
        offered=False,
    ),
    Blank(
        "void",
        "time.voided.v1",
        "Void an entry",
        "Void it",
        (ENTRY, REASON),
        "No second of it counts any more. What it said stays in the record.",
        offered=False,
    ),
    Blank(
        "consent",
        "consent.recorded.v1",
        "Consent",
        "Record it",
        (
            Field("consented_on", "Given on", "day"),
            Field("method", "How", "choice", choices=("verbal", "written")),
            NPI,
        ),
    ),
    Blank(
        "consent-revoked",
        "consent.revoked.v1",
        "Consent withdrawn",
        "Record it",
        (Field("revoked_on", "Withdrawn on", "day"),),
    ),
    Blank(
        "care-plan",
        "care_plan.recorded.v1",
        "Care plan",
        "Record it",
        (
            Field(
                "action",
                "What was done",
                "choice",
                choices=("established", "revised", "reviewed", "shared"),
                hint="shared: a copy was given to the patient",
            ),
            Field("on", "On", "day"),
            Field("document", "Document", is_required=False, hint="Where the plan is"),
        ),
    ),
    Blank(
        "decision-making",
        "complexity.assessed.v1",
        "Decision making",
        "Record it",
        (
            Field("month", "Month", "month"),
            Field("mdm", "Medical decision making", "choice", choices=MDM),
            NPI,
        ),
        "As the practitioner judged it for the month; the last word on a month stands.",
    ),
    Blank(
        "visit",
        "visit.recorded.v1",
        "Visit",
        "Record it",
        (
            Field("on", "On", "day"),
            Field("hcpcs", "Code of the visit", hint="HCPCS code, such as 99214"),
            NPI,
            Field("ccm_discussed", "Care management was discussed", "flag", "", False),
        ),
    ),
    Blank(
        "condition",
        "condition.recorded.v1",
        "Condition",
        "Record it",
        (
            CODE,
            Field("chronic", "Attested as chronic", "flag"),
            Field("onset_on", "Since", "day", is_required=False),
        ),
    ),
    Blank(
        "condition-resolved",
        "condition.resolved.v1",
        "Condition resolved",
        "Record it",
        (CODE, Field("resolved_on", "Resolved on", "day")),
    ),
    Blank(
        "enrolment",
        "patient.enrolled.v1",
        "Enrolment",
        "Enrol",
        (
            Field("effective_on", "From", "day"),
            Field("timezone", "Time zone of the patient", hint="such as America/New_York"),
            Field("npi", NPI.label, "text", "billing_practitioner.npi", hint=NPI.hint),
            Field(
                "credential",
                "Credential",
                member="billing_practitioner.credential",
                offers="credentials",
                hint="MD, DO, NP, PA, CNS and CNM may bill",
            ),
            Field("locality", "Locality", is_required=False, hint="MAC and locality: 13202-01"),
            Field(
                "provider_kind",
                "Kind of provider",
                "choice",
                is_required=False,
                choices=("practitioner", "rhc", "fqhc"),
            ),
            Field("setting", "Setting", "choice", "", False, ("nonfacility", "facility")),
            Field("new_patient", "New, or not seen for a year", "flag", "", False),
        ),
    ),
    Blank(
        "disenrolment",
        "patient.disenrolled.v1",
        "Leaves the programme",
        "Record it",
        (Field("effective_on", "Last day in the programme", "day"), REASON),
    ),
    Blank(
        "stay",
        "stay.recorded.v1",
        "Stay",
        "Record it",
        (
            Field("kind", "Where", "choice", choices=("inpatient", "snf_part_a", "other")),
            Field("admitted_on", "Admitted on", "day"),
            Field("discharged_on", "Discharged on", "day", is_required=False),
        ),
    ),
    Blank(
        "service",
        "service.billed.v1",
        "Service billed by others",
        "Record it",
        (
            Field("hcpcs", "Code", hint="HCPCS code of 5 characters"),
            Field("from", "From", "day"),
            Field("through", "Through", "day"),
            Field("npi", "Who billed it", hint=NPI.hint),
        ),
    ),
    Blank(
        "death",
        "patient.died.v1",
        "Death",
        "Record it",
        (Field("died_on", "Died on", "day"),),
    ),
    Blank(
        "withdraw",
        "event.retracted.v1",
        "Withdraw a fact entered in error",
        "Withdraw it",
        (
            Field("event_source", "Source of the fact", "kept"),
            Field("event_id", "Fact", "kept"),
            REASON,
        ),
        "As if it had never been said; that it was, and why it was withdrawn, stays in the record.",
        offered=False,
    ),
)

BLANKS: Final[Mapping[str, Blank]] = {blank.name: blank for blank in _BLANKS}
