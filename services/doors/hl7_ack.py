"""The acknowledgement of an HL7 v2 message: ACK with MSA, and ERR where something is to be said.

`AA` (in enhanced mode `CA`) says that the message is durable here: as events, counted as nothing
of ours, or in review, where a person or a later message will help; an ERR of severity W tells so.
`AE` says that the message itself is at fault, `AR` that it is none that we take from this sender.
Both are kept as dead letters too.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from domain.rejections import FOR_REVIEW, Reason, Rejection
from services.translate.hl7v2.er7 import header_of
from services.translate.hl7v2.segments import Segment
from services.wire.refusal import Refused

REJECTED: Final = frozenset({Reason.UNKNOWN_SITE, Reason.TOO_LARGE})
_CODES: Final = {
    Reason.MISSING_MEMBER: "101^Required field missing^HL70357",
    Reason.NO_RECORDED_TIME: "101^Required field missing^HL70357",
    Reason.INVALID_MEMBER: "102^Data type error^HL70357",
    Reason.IMPRECISE_DATE: "102^Data type error^HL70357",
    Reason.NOT_HL7: "100^Segment sequence error^HL70357",
    Reason.UNMAPPED_CODE: "103^Table value not found^HL70357",
    Reason.UNMAPPED_STATUS: "103^Table value not found^HL70357",
    Reason.UNKNOWN_PATIENT: "204^Unknown key identifier^HL70357",
    Reason.UNKNOWN_PERSON: "204^Unknown key identifier^HL70357",
    Reason.CONFLICTING_DUPLICATE: "205^Duplicate key identifier^HL70357",
}
_PROCESSING: Final = "202^Unsupported processing id^HL70357"
_INTERNAL: Final = "207^Application internal error^HL70357"
_PLAIN: Final = Segment.of_header("MSH|^~\\&|")


def acknowledgement(value: bytes, refusal: Rejection | None, at: datetime) -> bytes | None:
    """The answer to a message, without a frame; None where its MSH-15 asks for none."""
    try:
        msh = header_of(value)
    except Refused:
        msh = _PLAIN
    code = _code(refusal)
    asked = msh.get(15)
    if asked == "NE" or (asked == "ER" and code == "AA") or (asked == "SU" and code != "AA"):
        return None
    if asked:
        code = f"C{code[1]}"
    lines = [_header(msh, at), _joined(msh, ["MSA", code, msh.raw(10)])]
    if refusal is not None:
        lines.append(_error(msh, refusal, code))
    return ("\r".join(lines) + "\r").encode("utf-8", "replace")


def _code(refusal: Rejection | None) -> str:
    if refusal is None or refusal.reason in FOR_REVIEW:
        return "AA"
    if refusal.reason in REJECTED or refusal.field in ("MSH", "MSH-2", "MSH-11"):
        return "AR"
    return "AE"


def _header(msh: Segment, at: datetime) -> str:
    """The answer's MSH: the sender's with the ends exchanged, and a control id made of its own."""
    event = msh.get(9, 2)
    component = msh.delimiters.component
    kind = component.join(["ACK", *([msh.text_of(event), "ACK"] if event else [])])
    when = at.strftime("%Y%m%d%H%M%S%z")
    fields = ["MSH", msh.signs, msh.raw(5), msh.raw(6), msh.raw(3), msh.raw(4), when, "", kind]
    fields += [f"A{msh.raw(10)}", msh.raw(11) or "P", msh.raw(12) or "2.5.1"]
    return _joined(msh, [*fields, "", "", "", "", "", "UNICODE UTF-8"])


def _error(msh: Segment, refusal: Rejection, code: str) -> str:
    component = msh.delimiters.component
    where, _, field = refusal.field.partition("-")
    place = component.join([where, "1", field.partition(".")[0]]) if field else ""
    known = _PROCESSING if refusal.field == "MSH-11" else _CODES.get(refusal.reason, _INTERNAL)
    severity = "W" if code.endswith("A") else "E"
    coded = known.replace("^", component)
    reason = component.join([refusal.reason.value, "", "L"])
    said = msh.text_of(refusal.sentence)
    return _joined(msh, ["ERR", "", place, coded, severity, reason, "", "", said])


def _joined(msh: Segment, fields: list[str]) -> str:
    return msh.delimiters.field.join(fields)
