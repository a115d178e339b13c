"""Messages in: every kind of bad input named, and equal content, equal digest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.rejections import Reason
from services.wire import limits
from services.wire.decode import Accepted, decode_structured
from services.wire.json_text import parse
from tests.services.wire_examples import (
    GONE,
    TIME,
    accepted,
    changed,
    cloudevent,
    headers,
    raw,
    refusal,
    rejection,
)


@pytest.mark.parametrize("attribute", ["id", "source", "type", "practiceid", "subject", "time"])
@pytest.mark.parametrize("absent", [GONE, None])
def test_a_required_attribute_is_named_when_it_is_absent_or_null(
    attribute: str, absent: object
) -> None:
    found = refusal(changed(cloudevent(), attribute, absent))
    assert (found.reason, found.field) == (Reason.MISSING_MEMBER, attribute)
    assert found.sentence.startswith(f"{attribute} is missing; expected ")


@pytest.mark.parametrize("version", [GONE, None, "0.3", 1.0, "1"])
def test_without_version_one_it_is_not_a_cloudevent(version: object) -> None:
    found = refusal(changed(cloudevent(), "specversion", version))
    assert (found.reason, found.field) == (Reason.NOT_CLOUDEVENT, "specversion")


@pytest.mark.parametrize(
    ("attribute", "value", "reason", "found"),
    [
        ("id", "", Reason.INVALID_MEMBER, "an empty string"),
        ("id", "x" * 257, Reason.INVALID_MEMBER, "257 characters"),
        ("id", 7, Reason.INVALID_MEMBER, "7"),
        ("source", "a\tb", Reason.INVALID_MEMBER, "control characters in it"),
        ("type", 7, Reason.INVALID_MEMBER, "7"),
        ("type", "time.logged.v2", Reason.UNKNOWN_TYPE, "'time.logged.v2'"),
        ("type", "x" * 99, Reason.UNKNOWN_TYPE, f"'{'x' * 58}…"),
        ("subject", "", Reason.INVALID_MEMBER, "an empty string"),
        ("subject", ["pt1"], Reason.INVALID_MEMBER, "an array"),
        ("time", "2025-03-05T15:21:00", Reason.INVALID_MEMBER, "'2025-03-05T15:21:00'"),
        ("time", "2009-12-31T00:00:00Z", Reason.DATE_OUT_OF_RANGE, "'2009-12-31T00:00:00Z'"),
        ("recordedtime", "yesterday", Reason.INVALID_MEMBER, "'yesterday'"),
        ("datacontenttype", "text/xml", Reason.INVALID_MEMBER, "'text/xml'"),
        ("data", [], Reason.INVALID_MEMBER, "an array"),
        ("data", "{}", Reason.INVALID_MEMBER, "'{}'"),
    ],
)
def test_a_bad_attribute_is_refused_by_name(
    attribute: str, value: object, reason: Reason, found: str
) -> None:
    refused = refusal(changed(cloudevent(), attribute, value))
    assert (refused.reason, refused.field) == (reason, attribute)
    assert refused.sentence.endswith(f"; found {found}.")


def test_absent_or_null_data_is_missing() -> None:
    for absent in (GONE, None):
        found = refusal(changed(cloudevent(), "data", absent))
        assert (found.reason, found.field) == (Reason.MISSING_MEMBER, "data")


def test_no_sentence_ever_holds_the_patient() -> None:
    """Not even where the patient's id itself is what is wrong."""
    for subject in ("secret\x01", "secret" * 99, {"secret": 1}, 12345):
        assert "secret" not in refusal(cloudevent(subject=subject)).sentence
        assert "12345" not in refusal(cloudevent(subject=subject)).sentence


def test_a_quoted_token_is_cut_to_the_limit() -> None:
    found = refusal(changed(cloudevent(), "data.performer.role", "r" * 5000))
    assert "r" * (limits.TOKEN_CHARS_MAX - 2) in found.sentence
    assert "r" * limits.TOKEN_CHARS_MAX not in found.sentence


def test_the_recorded_time_keeps_its_microseconds() -> None:
    document = cloudevent(recordedtime="2025-03-05T15:21:00.1234567+01:00")
    assert accepted(document).event.recorded_at_us == 1_741_184_460_123_456
    assert accepted(cloudevent()).event.recorded_at_us is None
    assert accepted(cloudevent(recordedtime=None)).event.recorded_at_us is None


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "application/x.v1+JSON"]
)
def test_any_json_media_type_may_be_named(kind: str) -> None:
    assert accepted(cloudevent(datacontenttype=kind)).event == accepted(cloudevent()).event


# --- bytes that are not one JSON value --------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"  \n",
        b"{",
        b"{}{}",
        b'{"a":1,}',
        b"nope",
        b"\xef\xbb\xbf{}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":01}',
        b"1" * 5000,
        b'{"a":"\xff"}',
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":"\\ud800"}',
        b'{"a":"\\udc00\\ud800"}',
        b'{"a":"\x01"}',
        b"\x00",
    ],
)
def test_what_is_not_json_in_utf_8_is_refused(text: bytes) -> None:
    assert rejection(text).reason is Reason.NOT_JSON
    assert rejection(text, []).reason is Reason.NOT_JSON
    assert rejection(text, headers(cloudevent())).reason is Reason.NOT_JSON


@pytest.mark.parametrize("text", [b"[]", b'"x"', b"1", b"null", b"true"])
def test_json_that_is_no_object_is_not_a_cloudevent(text: bytes) -> None:
    assert rejection(text).reason is Reason.NOT_CLOUDEVENT


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":2}',
        b'{"a":1,"a":1}',
        b'{"b":{"a":1,"a":":"}}',
        b'{"a:":1,"x":":","a:":2}',
        b'{ "a" : 1 , "a" : 2 }',
        b'[{"a":1},{"a":1,"a":2}]',
        b'{"a":1,"\\u0061":2}',
        b'{"a":"\\u003a","a":1}',
    ],
)
def test_a_doubled_member_name_is_refused_however_it_is_written(text: bytes) -> None:
    assert rejection(text).reason is Reason.NOT_JSON
    assert "'a" in rejection(text).sentence
    assert "twice" in rejection(text).sentence


@pytest.mark.parametrize(
    "text", [b'{"a":{"a":":"},":":"a:"}', b'{"a":"\\u003a:\\\\","b\\"":1}', b'[{"a":1},{"a":1}]']
)
def test_names_may_repeat_in_different_objects_and_colons_in_strings(text: bytes) -> None:
    assert parse(text) == json.loads(text)


def test_a_message_may_be_one_mebibyte_and_not_a_byte_more() -> None:
    text = raw(cloudevent())
    room = limits.MESSAGE_BYTES_MAX - len(text)
    assert isinstance(decode_structured(text + b" " * room), Accepted)
    found = rejection(text + b" " * (room + 1))
    assert found.reason is Reason.TOO_LARGE
    assert "1048577 bytes" in found.sentence
    assert rejection(b"x" * 10_000_000).reason is Reason.TOO_LARGE


@pytest.mark.parametrize("levels", [65, 900, 5_000, 100_000])
def test_bottomless_nesting_is_refused(levels: int) -> None:
    deep = b'{"data":' + b"[" * levels + b"]" * levels + b"}"
    assert rejection(deep).reason is Reason.INVALID_MEMBER
    assert rejection(b'{"a":' * levels + b"1" + b"}" * levels).reason is Reason.INVALID_MEMBER


def test_nesting_up_to_the_limit_and_wide_arrays_are_kept() -> None:
    deep: list[Any] = []
    for _ in range(limits.NESTING_DEPTH_MAX - 3):
        deep = [deep]
    assert accepted(changed(cloudevent(), "data.x", deep))
    assert accepted(changed(cloudevent(), "data.x", [[]] * 1000))


# --- digests ----------------------------------------------------------------------------------


def test_order_spaces_and_number_spelling_do_not_change_the_digest() -> None:
    document = cloudevent()
    document["data"] |= {"cost": 1, "list": [1, 2.5]}
    text = json.dumps(dict(reversed(document.items())), indent=2).replace("2.5", "25e-1")
    text = text.replace('"cost": 1', '"cost": 1.0').replace("care_", "\\u0063are_")
    found = decode_structured(text.encode())
    assert isinstance(found, Accepted)
    assert (found.event.digest, found.data) == (
        accepted(document).event.digest,
        accepted(document).data,
    )


def test_unknown_members_are_kept_and_change_the_digest() -> None:
    plain, more = accepted(cloudevent()), accepted(changed(cloudevent(), "data.note_ref", "n1"))
    assert more.event.fact == plain.event.fact
    assert json.loads(more.data)["note_ref"] == "n1"
    assert more.event.digest != plain.event.digest


def test_unknown_attributes_are_ignored() -> None:
    assert accepted(cloudevent(traceparent="00-1", x={"y": 1})) == accepted(cloudevent())


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("practiceid", "p2"),
        ("subject", "pt2"),
        ("time", "2025-03-05T16:21:00Z"),
        ("time", "2025-03-05T15:21:00.0Z"),
    ],
)
def test_other_content_has_another_digest(attribute: str, value: str) -> None:
    other = accepted(cloudevent(**{attribute: value}))
    assert other.event.digest != accepted(cloudevent()).event.digest


def test_source_id_and_recorded_time_are_not_content() -> None:
    other = accepted(cloudevent(source="//other", id="e2", recordedtime=TIME))
    assert other.event.digest == accepted(cloudevent()).event.digest
