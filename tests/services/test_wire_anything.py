"""Whatever comes in: a named reason or an event, never an exception."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rejections import Reason, Rejection
from infra.codec import canonical_json, decode_event, encode_state, stream_id
from projections.ports import StoredEvent
from services.wire.decode import Accepted, decode_binary, decode_message, decode_structured
from services.wire.json_text import parse
from tests.services.wire_examples import (
    ATTRIBUTES,
    EXAMPLES,
    accepted,
    changed,
    cloudevent,
    raw,
)

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
