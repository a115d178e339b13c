"""What is stored can be exported, and what is exported is the same event again."""

from __future__ import annotations

import json

import pytest

from infra.codec import UndecodableEvent, encode_state
from infra.codec import stream_id as stream_of
from projections.ports import StoredEvent
from services.wire.decode import Accepted, decode_structured
from services.wire.encode import to_cloudevent
from tests.services.wire_examples import EXAMPLES, TIME, accepted, changed, cloudevent

RECORDED_AT_US = 1_741_188_061_000_042


def stored(taken: Accepted, recorded_at_us: int | None = RECORDED_AT_US) -> StoredEvent:
    """The accepted event as it would lie in the log."""
    event = taken.event
    state = encode_state(
        source=event.source,
        id=event.id,
        time_text=taken.time_text,
        recorded_at_us=recorded_at_us,
        previous=b"\x01" * 32,
        data=taken.data,
    )
    stream = stream_of(event.practice_id, event.patient_id)
    return StoredEvent(stream, 2, taken.name, state, b"key")


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_exported_event_decodes_to_the_same_event_and_digest(name: str) -> None:
    taken = accepted(changed(cloudevent(name, practiceid="p/1"), "data.extra", {"b": 1, "a": "é"}))
    again = decode_structured(to_cloudevent(stored(taken)))
    assert isinstance(again, Accepted)
    assert again.event.digest == taken.event.digest
    assert again.event.recorded_at_us == RECORDED_AT_US
    assert (again.event.fact, again.event.key) == (taken.event.fact, taken.event.key)
    assert (again.data, again.time_text) == (taken.data, taken.time_text)


def test_an_export_is_one_line_in_the_contracts_order() -> None:
    line = to_cloudevent(stored(accepted(cloudevent())))
    assert b"\n" not in line
    assert list(json.loads(line)) == [
        "specversion",
        "id",
        "source",
        "type",
        "practiceid",
        "subject",
        "time",
        "recordedtime",
        "data",
    ]
    assert json.loads(line)["recordedtime"] == "2025-03-05T15:21:01.000042Z"
    assert json.loads(line)["time"] == TIME


def test_an_unknown_recording_time_is_left_out() -> None:
    line = to_cloudevent(stored(accepted(cloudevent()), recorded_at_us=None))
    assert "recordedtime" not in json.loads(line)


@pytest.mark.parametrize(("stream", "state"), [("p1/pt1", b"{}"), ("p1/pt1", b"\xff"), ("p1", b"")])
def test_bytes_out_of_form_are_named_not_exported(stream: str, state: bytes) -> None:
    with pytest.raises(UndecodableEvent, match="p1"):
        to_cloudevent(StoredEvent(stream, 1, "time.logged.v1", state, b""))
