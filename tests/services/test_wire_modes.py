"""Both content modes of a message, and what is neither."""

from __future__ import annotations

import pytest

from domain.rejections import Reason
from services.wire.decode import decode_binary, decode_message
from tests.services.wire_examples import (
    ATTRIBUTES,
    EXAMPLES,
    STRUCTURED,
    accepted,
    cloudevent,
    headers,
    raw,
    rejection,
)


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
