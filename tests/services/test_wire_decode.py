"""Messages in: both content modes, every kind of bad input, and equal content, equal digest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rejections import Reason, Rejection
from infra.codec import canonical_json, decode_event, encode_state, stream_id
from projections.ports import StoredEvent
from services.wire import limits
from services.wire.decode import Accepted, decode_binary, decode_message, decode_structured
from services.wire.json_text import parse
from tests.services.wire_examples import (
    EXAMPLES,
    GONE,
    TIME,
    accepted,
    changed,
    cloudevent,
    raw,
    refusal,
)

STRUCTURED = [("content-type", b"application/cloudevents+json")]
ATTRIBUTES = ("specversion", "id", "source", "type", "practiceid", "subject", "time")


def headers(document: dict[str, Any]) -> list[tuple[str, bytes]]:
    """The binary mode's headers of a whole CloudEvent."""
    return [(f"ce_{name}", document[name].encode()) for name in ATTRIBUTES]


def rejection(value: bytes | None, of: list[tuple[str, bytes]] | None = None) -> Rejection:
    found = decode_message(value, STRUCTURED if of is None else of)
    assert isinstance(found, Rejection), found
    return found


# --- the envelope -----------------------------------------------------------------------------


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


# --- content modes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents+json",
        "application/cloudevents+json; charset=utf-8",
        "Application/CloudEvents+JSON;charset=UTF-8",
    ],
)
def test_structured_mode_is_known_by_its_content_type(content_type: str) -> None:
    found = decode_message(raw(cloudevent()), [("Content-Type", content_type.encode())])
    assert found == accepted(cloudevent())


def test_a_bare_json_object_is_taken_as_structured() -> None:
    for others in ([], [("traceparent", b"\xff")], [("content-type", b"application/json")]):
        assert decode_message(raw(cloudevent()), others) == accepted(cloudevent())


@pytest.mark.parametrize("name", EXAMPLES)
def test_binary_mode_gives_the_same_event_as_structured(name: str) -> None:
    document = cloudevent(name)
    body = raw(document["data"])
    kinds = [("content-type", b"application/json"), ("ce_traceparent", b"\xff"), ("x", b"\xff")]
    assert decode_message(body, headers(document) + kinds) == accepted(document)
    assert decode_message(body, headers(document)) == accepted(document)
    attributes = {attribute: document[attribute] for attribute in ATTRIBUTES}
    assert decode_binary(attributes, body) == accepted(document)


def test_binary_mode_takes_the_recorded_time_and_utf_8() -> None:
    document = cloudevent(subject="pt-é", recordedtime="2025-03-05T15:21:00.5Z")
    of = [*headers(document), ("ce_recordedtime", b"2025-03-05T15:21:00.5Z")]
    assert decode_message(raw(document["data"]), of) == accepted(document)


def test_a_batch_is_refused() -> None:
    kind = [("content-type", b"application/cloudevents-batch+json; charset=utf-8")]
    found = rejection(b"[" + raw(cloudevent()) + b"]", kind)
    assert (found.reason, found.field) == (Reason.BATCH_REFUSED, "content-type")
    assert rejection(b"", kind + headers(cloudevent())).reason is Reason.BATCH_REFUSED


def test_another_event_format_is_refused() -> None:
    found = rejection(b"\x00", [("content-type", b"application/cloudevents+avro")])
    assert (found.reason, found.field) == (Reason.NOT_CLOUDEVENT, "content-type")


def test_a_binary_event_whose_data_is_not_json_by_its_content_type_is_refused() -> None:
    found = rejection(b"{}", [*headers(cloudevent()), ("content-type", b"text/xml")])
    assert (found.reason, found.field) == (Reason.INVALID_MEMBER, "datacontenttype")


def test_a_needed_header_that_is_not_utf_8_is_named() -> None:
    of = [(name, b"\xff" if name == "ce_time" else text) for name, text in headers(cloudevent())]
    found = rejection(b"{}", of)
    assert (found.reason, found.field) == (Reason.INVALID_MEMBER, "time")
    assert rejection(b"{}", [("content-type", b"\xff")]).field == "content-type"


def test_a_needed_header_that_comes_twice_is_refused() -> None:
    found = rejection(b"{}", [*headers(cloudevent()), ("ce_id", b"e2")])
    assert (found.reason, found.field) == (Reason.INVALID_MEMBER, "id")


def test_a_binary_event_without_an_attribute_names_it() -> None:
    of = [header for header in headers(cloudevent()) if header[0] != "ce_subject"]
    found = rejection(raw(cloudevent()["data"]), of)
    assert (found.reason, found.field) == (Reason.MISSING_MEMBER, "subject")


def test_a_message_without_a_value_is_no_event() -> None:
    for of in ([], STRUCTURED, headers(cloudevent()), [("x", b"y")]):
        assert rejection(None, of).reason is Reason.NOT_CLOUDEVENT


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


# --- anything at all --------------------------------------------------------------------------

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["content-type", "ce_id", "ce_type", "ce_specversion", "ce_time", "x"])
        | st.text(),
        st.sampled_from([b"1.0", b"time.logged.v1", b"application/cloudevents+json"])
        | st.binary(max_size=40),
    ),
    max_size=8,
)


def check(found: Accepted | Rejection) -> None:
    """The promise of every decoding: a named reason, or an event that survives a second pass.

    It reads the same from the store, too: what is accepted can always be loaded again.
    """
    if isinstance(found, Rejection):
        assert isinstance(found.reason, Reason)
        assert found.sentence.endswith(".")
        assert len(found.sentence) < 500
        return
    event = found.event
    again = cloudevent(
        found.name,
        id=event.id,
        source=event.source,
        practiceid=event.practice_id,
        subject=event.patient_id,
        time=found.time_text,
        data=json.loads(found.data),
    )
    assert accepted(again).event.digest == event.digest
    state = encode_state(
        source=event.source,
        id=event.id,
        time_text=found.time_text,
        recorded_at_us=event.recorded_at_us,
        previous=None,
        data=found.data,
    )
    stream = stream_id(event.practice_id, event.patient_id)
    assert decode_event(StoredEvent(stream, 1, found.name, state, b"")) == event
    assert accepted(again).data == found.data


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()), HEADERS)
def test_no_message_ever_raises(value: bytes, of: list[tuple[str, bytes]]) -> None:
    check(decode_message(value, of))


@settings(max_examples=300)
@given(st.data())
def test_an_example_with_any_member_replaced_is_accepted_or_refused_never_worse(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(sorted(EXAMPLES)))
    document = cloudevent(name)
    paths = [*document, *(f"data.{member}" for member in document["data"]), "data.extra"]
    path = data.draw(st.sampled_from(paths))
    check(decode_structured(raw(changed(document, path, data.draw(JSON)))))


@settings(max_examples=200)
@given(st.data())
def test_a_message_with_bytes_cut_or_flipped_never_raises(data: st.DataObject) -> None:
    text = bytearray(raw(cloudevent(data.draw(st.sampled_from(sorted(EXAMPLES))))))
    for _ in range(data.draw(st.integers(1, 4))):
        text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
    check(decode_structured(bytes(text[: data.draw(st.integers(1, len(text)))])))


@given(st.dictionaries(st.sampled_from([*ATTRIBUTES, "recordedtime"]), st.text()), st.binary())
def test_binary_attributes_of_any_text_never_raise(attributes: dict[str, str], body: bytes) -> None:
    check(decode_binary(attributes, body))
    check(decode_binary({**attributes, "id": "\ud800"}, raw(cloudevent()["data"])))


@given(JSON)
def test_doubled_names_are_only_seen_where_there_are_some(value: Any) -> None:
    assert canonical_json(parse(json.dumps(value).encode())) == canonical_json(value)
