"""What each reason asks of whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.rejections import Reason

_SENDER: Final = "The sender's event is wrong: correct it here, or have it sent again corrected."
_MAPPING: Final = "The profile or mapping does not know this: add it, start again, then replay."

ADVICE: Final[Mapping[str, str]] = {
    Reason.TOO_LARGE: "Longer than a message may be: the sender has to split it.",
    Reason.NOT_JSON: "Not readable as JSON: correct the text here, or have it sent again.",
    Reason.NOT_CLOUDEVENT: _SENDER,
    Reason.BATCH_REFUSED: "Several events in one message: leave one here, have the rest sent.",
    Reason.UNKNOWN_TYPE: "A type that this release does not know: correct it, or upgrade first.",
    Reason.MISSING_MEMBER: _SENDER,
    Reason.INVALID_MEMBER: _SENDER,
    Reason.UNKNOWN_TIMEZONE: "Write the zone as the IANA names it, such as America/New_York.",
    Reason.ENDS_BEFORE_START: "Start or end is wrong: whoever did the work knows which.",
    Reason.ENTRY_TOO_LONG: "Over a day: a clock was not stopped. Whoever did the work knows.",
    Reason.DATE_OUT_OF_RANGE: "A date before 2010 or after 2099: most often a digit is wrong.",
    Reason.MERGE_CIRCLE: "Two records were merged into each other: retract the wrong merge first.",
    Reason.WORK_IN_FUTURE: "The work ends after the event was recorded: one of the two is wrong.",
    Reason.CONFLICTING_DUPLICATE: (
        "Another event of the same source and id is stored and stands. If this one says something "
        "new, it needs an id of its own."
    ),
    Reason.UNKNOWN_PATIENT: (
        "Nobody has this identifier yet. It goes in by itself once an identity.linked.v1 says who."
    ),
    Reason.UNKNOWN_PERSON: "The profile does not know this member of staff: add them, then replay.",
    Reason.UNMAPPED_CODE: _MAPPING,
    Reason.UNMAPPED_STATUS: _MAPPING,
    Reason.IMPRECISE_DATE: "A day is needed: correct it here from the record, with why.",
    Reason.AMBIGUOUS: "It can be read in two ways: leave one of them.",
    Reason.NO_RECORDED_TIME: "It does not say when it was recorded: add it from the record.",
    Reason.PATIENT_MERGED: "Its patient's record was merged into another: correct whose it is.",
    Reason.NOT_FETCHED: "It was announced and did not come along. It is fetched by itself.",
    Reason.FEED_GAP: "Messages of a subscription are missing. They are fetched by themselves.",
    Reason.NOT_FHIR: "Not a FHIR resource: correct the text here, or have it sent again.",
    Reason.NOT_HL7: "Not an HL7 v2 message: correct the text here, or have it sent again.",
    Reason.UNKNOWN_SITE: "No profile is of this sender: add one, start again, then replay.",
}
