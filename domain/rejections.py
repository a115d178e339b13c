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
    WORK_IN_FUTURE = "work-after-event-time"
    CONFLICTING_DUPLICATE = "conflicting-duplicate"


@dataclass(frozen=True, slots=True)
class Rejection:
    """One refusal: `field` is a dotted path (`data.performer.role`), '' where none applies."""

    reason: Reason
    sentence: str
    field: str = ""
