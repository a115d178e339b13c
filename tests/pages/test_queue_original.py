"""What came, as the queue shows it and gives it back: nothing is lost on the way."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.letters import DeadLetter
from services.pages.queue import jsonlines
from services.pages.queue.original import bytes_of, headers_for, original_of
from services.translate.marks import FHIR, HL7V2
from services.wire.decode import Accepted, decode_message
from tests.pages.queueing import STRANGE, entry
from tests.thoroughness import examples

LETTER = DeadLetter("http", "invalid-member", "", "", b"{}", None, (), 0)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def came(value: Any, field: str = "", **more: Any) -> DeadLetter:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return replace(LETTER, value=raw, field=field, **more)


def marked(letter: DeadLetter) -> list[str]:
    lines = original_of(letter).lines
    return [span.text.strip() for line in lines for span in line if span.marked]


@settings(max_examples=examples(200), deadline=None)
@given(VALUES)
def test_json_that_is_shown_says_what_came_and_comes_back_through_a_form(value: Any) -> None:
    """Every value: equal as JSON, no sign in it that a form or a terminal would change."""
    letter = came(value)
    text = original_of(letter).text
    assert json.loads(bytes_of(letter, text.replace("\n", "\r\n"))) == value
    assert all(sign == "\n" or sign.isprintable() or ord(sign) > 0x9F for sign in text)


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=60))
def test_whatever_came_is_shown(value: bytes) -> None:
    for headers in ((), ((HL7V2, b"x"),), ((FHIR, b"x"),), (("ce_id", b"1"),)):
        original_of(replace(LETTER, value=value, headers=headers, field="PID-3"))


def test_numbers_and_doubled_names_stay_as_they_were_written() -> None:
    text = '{"a": 1.10, "a": 1e400, "b": [-0]}'
    shown = original_of(came(text.encode(), "b")).text
    assert shown == '{\n  "a": 1.10,\n  "a": 1e400,\n  "b": [\n    -0\n  ]\n}'


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ("data.activity", ['"activity": "care_coordination",']),
        ("data.performer", ['"performer": {', '"id": "rn1",', '"role": "clinical_staff"', "},"]),
        ("data.performer.npi", ['"performer": {']),
        ("data.program", ['"data": {']),
        ("datacontenttype", ["{"]),
        ("activity", ['"activity": "care_coordination",']),
        ("", []),
    ],
)
def test_the_field_is_marked_and_where_it_would_be_if_it_is_missing(
    field: str, lines: list[str]
) -> None:
    letter = came(entry(), field)
    assert marked(letter) == lines
    assert original_of(letter).missing == (lines in (['"performer": {'], ['"data": {'], ["{"]))


@pytest.mark.parametrize(
    ("field", "spans"),
    [
        ("MSH-3", ["EHR"]),
        ("MSH-2", ["^~\\&"]),
        ("PID-3", ["ready^^^RIVER^MR"]),
        ("PID", [STRANGE.decode().split("\r")[1]]),
        ("PID-90", [STRANGE.decode().split("\r")[1]]),
        ("PV1-19", []),
        ("", []),
    ],
)
def test_a_field_of_a_segment_is_marked(field: str, spans: list[str]) -> None:
    letter = came(STRANGE, field, headers=((HL7V2, b"river"),))
    assert marked(letter) == [span.strip() for span in spans]
    whole = ["".join(span.text for span in line) for line in original_of(letter).lines]
    assert whole == STRANGE.decode().rstrip("\r").split("\r")


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
def test_a_message_comes_back_byte_by_byte(end: str, charset: str) -> None:
    raw = STRANGE.decode().replace("ROE", "RÖE").replace("\r", end).encode(charset)
    letter = came(raw, headers=((HL7V2, b"river"),))
    assert bytes_of(letter, original_of(letter).text.replace("\n", "\r\n")) == raw
    if charset == "latin-1":
        with pytest.raises(ValueError):  # noqa: PT011
            bytes_of(letter, "MSH|\u0416")


def test_an_event_whose_attributes_came_beside_it_is_corrected_as_one_text() -> None:
    event = entry()
    data = event.pop("data")
    headers = [(f"ce_{name}", value.encode()) for name, value in event.items()]
    headers += [("content-type", b"application/json"), ("caretally-history", b"true")]
    letter = came({**data, "activity": 7}, "data.activity", headers=tuple(headers))
    assert marked(letter) == ['"activity": 7,']
    text = original_of(letter).text.replace("7,", '"phone_call",')
    decoded = decode_message(bytes_of(letter, text), headers_for(letter))
    assert isinstance(decoded, Accepted)
    assert (decoded.event.id, decoded.event.history) == ("q1", True)
    broken = came(b"{oops", "data", headers=tuple(headers))
    assert original_of(broken).text.endswith('"data": {oops\n}')


def test_what_is_too_long_or_no_text_is_shown_in_part_and_not_edited() -> None:
    long = original_of(came({"a": ["x" * 100] * 3_000}))
    assert (long.text, long.cut) == ("", True)
    assert original_of(came(b"\xff" * 9_000)).text == ""
    assert original_of(came(b"a\x00b")).text == ""
    assert original_of(replace(LETTER, value=None)).form == "nothing"


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 70 + "]" * 70, "", "NaN x"])
def test_what_is_no_json_for_us_is_text(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        jsonlines.read(text)
    assert original_of(came(text.encode())).form == "text"
