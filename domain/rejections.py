"""Why an event is refused: machine-readable reasons, each with a sentence for people."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The machine-readable reasons of a dead letter. Values never change once released."""

    TOO_LARGE = "too-large"
    NOT_JSON = "not-json"
    NOT_CLOUDEVENT = "not-a-cloudevent"
    BATCH_REFUSED = "batch-mode-refused"
    UNKNOWN_TYPE = "unknown-type"
    MISSING_MEMBER = "missing-member"
    INVALID_MEMBER = "invalid-member"
    UNKNOWN_TIMEZONE = "unknown-timezone"
    ENDS_BEFORE_START = "ends-before-start"
    ENTRY_TOO_LONG = "entry-too-long"
    DATE_OUT_OF_RANGE = "date-out-of-range"
    MERGE_CIRCLE = "merge-circle"
    WORK_IN_FUTURE = "work-after-event-time"
    CONFLICTING_DUPLICATE = "conflicting-duplicate"

    UNKNOWN_PATIENT = "unknown-patient"
    UNKNOWN_PERSON = "unknown-person"
    UNMAPPED_CODE = "unmapped-code"
    UNMAPPED_STATUS = "unmapped-status"
    IMPRECISE_DATE = "imprecise-date"
    AMBIGUOUS = "ambiguous"
    NO_RECORDED_TIME = "no-recorded-time"
    PATIENT_MERGED = "patient-merged"
    NOT_FETCHED = "not-fetched"
    FEED_GAP = "feed-gap"
    NOT_FHIR = "not-fhir"
    NOT_HL7 = "not-hl7v2"
    UNKNOWN_SITE = "unknown-site"


FOR_REVIEW = frozenset(
    {
        Reason.UNKNOWN_PATIENT,
        Reason.UNKNOWN_PERSON,
        Reason.UNMAPPED_CODE,
        Reason.UNMAPPED_STATUS,
        Reason.IMPRECISE_DATE,
        Reason.AMBIGUOUS,
        Reason.NO_RECORDED_TIME,
        Reason.PATIENT_MERGED,
        Reason.NOT_FETCHED,
        Reason.FEED_GAP,
    }
)
"""Reasons that ask for a person, a mapping or a fetch. They say nothing against the sender."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refusal: `field` is a dotted path (`data.performer.role`), '' where none applies.

    `waits_for` is the key of what would mend it by itself, '' where nothing would.
    """

    reason: Reason
    sentence: str
    field: str = ""
    waits_for: str = ""
