"""What a sender is answered: code, reason and place, in its own delimiters."""

from __future__ import annotations

from datetime import UTC, datetime

import hl7
import pytest

from domain.rejections import Reason, Rejection
from services.doors.hl7_ack import acknowledgement
from tests.hl7v2.sent import adt, er7, msh, pid

AT = datetime(2025, 3, 10, 22, 0, 5, tzinfo=UTC)


def answered(value: bytes, reason: Reason | None = None, field: str = "") -> list[str]:
    refusal = None if reason is None else Rejection(reason, f"{field}: it is a|wrong\nvalue", field)
    answer = acknowledgement(value, refusal, AT)
    return [] if answer is None else answer.decode().split("\r")


def test_an_accepted_message() -> None:
    assert answered(adt("A01", control="m7")) == [
        "MSH|^~\\&|CCM|CARE|EHR|RIVER|20250310220005+0000||ACK^A01^ACK|Am7|P|2.5.1"
        "||||||UNICODE UTF-8",
        "MSA|AA|m7",
        "",
    ]


@pytest.mark.parametrize(
    ("reason", "field", "code", "place", "known", "severity"),
    [
        (Reason.UNKNOWN_PATIENT, "PID-3", "AA", "PID^1^3", "204", "W"),
        (Reason.IMPRECISE_DATE, "PV1-44", "AA", "PV1^1^44", "102", "W"),
        (Reason.AMBIGUOUS, "FT1-4.2", "AA", "FT1^1^4", "207", "W"),
        (Reason.MISSING_MEMBER, "PV1-19", "AE", "PV1^1^19", "101", "E"),
        (Reason.CONFLICTING_DUPLICATE, "MSH-10", "AE", "MSH^1^10", "205", "E"),
        (Reason.INVALID_MEMBER, "MSH-11", "AR", "MSH^1^11", "202", "E"),
        (Reason.UNKNOWN_SITE, "MSH-3", "AR", "MSH^1^3", "207", "E"),
        (Reason.NOT_HL7, "segment 3", "AE", "", "100", "E"),
    ],
)
def test_a_refusal_says_where_and_why(
    reason: Reason, field: str, code: str, place: str, known: str, severity: str
) -> None:
    _, msa, err, _ = answered(adt("A01", control="m7"), reason, field)
    fields = err.split("|")
    assert msa == f"MSA|{code}|m7"
    assert (fields[2], fields[3].split("^")[0], fields[4]) == (place, known, severity)
    assert fields[5] == f"{reason.value}^^L"
    assert fields[8].endswith("it is a\\F\\wrong value")


def test_the_answer_has_the_senders_delimiters() -> None:
    value = b"MSH$%*!@$EHR$RIVER$CCM$CARE$20250310$$ADT%A04$9$P$2.3"
    head, msa, err, _ = answered(value, Reason.MISSING_MEMBER, "PV1-19")
    assert head.startswith("MSH$%*!@$CCM$CARE$EHR$RIVER$20250310220005+0000$$ACK%A04%ACK$A9$P$2.3")
    assert (msa, err.split("$")[2]) == ("MSA$AE$9", "PV1%1%19")


def test_what_has_no_header_is_rejected() -> None:
    head, msa, *_ = answered(b"hello", Reason.NOT_HL7, "MSH")
    assert (head.split("|")[8], msa) == ("ACK", "MSA|AR|")


@pytest.mark.parametrize(
    ("asked", "good", "bad"),
    [("AL", "CA", "CE"), ("ER", None, "CE"), ("SU", "CA", None), ("NE", None, None)],
)
def test_enhanced_mode(asked: str, good: str | None, bad: str | None) -> None:
    head = f"MSH|^~\\&|EHR|RIVER|||20250310||ADT^A01|7|P|2.5|||{asked}|NE"
    for reason, code in ((None, good), (Reason.MISSING_MEMBER, bad)):
        lines = answered(er7(head, pid()), reason, "PV1-19")
        assert [line.split("|")[1] for line in lines[1:2]] == ([code] if code else [])


def test_another_reader_reads_the_answer() -> None:
    refusal = Rejection(Reason.NOT_HL7, "a & b", "PID-3")
    answer = acknowledgement(er7(msh(control="m7")), refusal, AT)
    assert answer is not None
    read = hl7.parse(answer.decode())
    assert str(read.segment("MSA")[2]) == "m7"
    assert read.unescape(str(read.segment("ERR")[8])) == "a & b"
