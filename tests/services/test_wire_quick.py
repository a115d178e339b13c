"""The short way through the decoder and the long one say the same of every message."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.wire import decode, json_text, quick
from services.wire.bare import bare_entry
from services.wire.decode import Decoded, decode_document, decode_structured
from services.wire.entries import time_entry, worked
from services.wire.quick import seconds_at
from services.wire.refusal import Refused
from tests.services.wire_examples import CLOCKED, NPI, SOURCE, TIME
from tests.thoroughness import examples

PLAIN: dict[str, Any] = {
    "specversion": "1.0",
    "id": "e1",
    "source": SOURCE,
    "type": "time.logged.v1",
    "practiceid": "p1",
    "subject": "pt1",
    "time": TIME,
    "data": CLOCKED,
}
INSTANTS = (
    "2025-03-05T15:21:00Z",
    "2025-03-05T15:21:00z",
    "2025-03-05t15:21:00Z",
    "2025-03-05 15:21:00Z",
    "2025-03-05T15:21:00.999999Z",
    "2025-03-05T15:21:00.9999999Z",
    "2025-03-05T15:21:00.1-05:00",
    "2025-03-05T15:21:00.123+24:00",
    "2025-03-05T15:21:00.5-0500",
    "2025-03-05T15:21:00.5",
    "2025-03-05T15:21:00.Z",
    "2025-03-05T15:21:00+24:00",
    "2025-03-05T15:21:00-23:59",
    "2025-03-05T15:21:00+00:60",
    "2025-03-05T15:21:00-0500 ",
    "2025-03-05T15:21:60Z",
    "2025-03-05T24:00:00Z",
    "2025-02-29T10:00:00Z",
    "1999-12-31T23:59:59Z",
    "2100-01-01T00:00:00Z",
    "2025-03-04T15:00:00Z",
    "2025-W10-3T15:21:00Z",
    "0000-00-00T00:00:00Z",
    "2025-03-05T15:21:00",
)
ODD: tuple[Any, ...] = (
    None,
    "",
    "x" * 256,
    "x" * 257,
    "\x7f",
    "a\nb",
    "é",
    "caretally:clock",
    0,
    1.0,
    True,
    False,
    [],
    {},
    NPI,
    "application/json",
    "application/cloudevents+json",
    "clinical_staff",
    "billing_practitioner",
    "nobody",
    *INSTANTS,
)
PLACES = [
    *((name,) for name in PLAIN),
    *(("data", name) for name in CLOCKED),
    *(("data", name) for name in ("program", "performed_on", "seconds", "note", "outside_us")),
    *(("data", "performer", name) for name in ("id", "role", "outside_us", "other")),
    *((name,) for name in ("recordedtime", "datacontenttype", "backfill", "traceparent")),
]


def the_long_way(raw: bytes) -> Decoded:
    try:
        return decode._of_document(json_text.parse(raw))
    except Refused as refusal:
        return refusal.rejection


def changed(place: tuple[str, ...], value: Any, document: Any) -> Any:
    if not place:
        return value
    if not isinstance(document, dict):
        return document
    return {**document, place[0]: changed(place[1:], value, document.get(place[0]))}


@settings(max_examples=examples(600), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(ODD)), max_size=3),
    st.booleans(),
)
def test_both_ways_say_the_same(changes: list[tuple[tuple[str, ...], Any]], escape: bool) -> None:
    document: Any = PLAIN
    for place, value in changes:
        document = changed(place, value, document)
    raw = json.dumps(document, ensure_ascii=escape).encode()
    assert decode_structured(raw) == the_long_way(raw)


@pytest.mark.parametrize("at", [*INSTANTS, "2025-03-05T15:21,00Z", "2025-03-05T15:21:0xZ"])
@pytest.mark.parametrize("place", [("time",), ("data", "started_at"), ("data", "ended_at")])
def test_both_ways_read_instants_alike(place: tuple[str, ...], at: str) -> None:
    raw = json.dumps(changed(place, at, PLAIN)).encode()
    assert decode_structured(raw) == the_long_way(raw)


def test_a_plain_entry_takes_the_short_way() -> None:
    assert quick.is_plain(json.dumps(PLAIN).encode())
    assert quick.plain_entry(PLAIN) is not None
    assert bare_entry(json.dumps(PLAIN).encode(), False) is not None


BARE = [
    PLAIN,
    PLAIN | {"datacontenttype": "application/json"},
    PLAIN | {"id": "a:b", "source": "urn:x:y", "subject": "::"},
    PLAIN | {"time": "2025-03-05T15:21:00.123-05:00"},
    PLAIN | {"data": CLOCKED | {"program": "ccm", "entry_id": "a:1"}},
    PLAIN | {"data": CLOCKED | {"performer": CLOCKED["performer"] | {"outside_us": True}}},
]


@pytest.mark.parametrize("document", BARE)
@pytest.mark.parametrize("separators", [(",", ":"), (" ,  ", " : ")])
def test_a_bare_entry_is_what_the_full_decoder_makes_of_it(
    document: dict[str, Any], separators: tuple[str, str]
) -> None:
    raw = json.dumps(document, separators=separators).encode()
    found = bare_entry(raw, False)
    assert found is not None
    assert found == the_long_way(raw)


@pytest.mark.parametrize(
    ("what", "more"),
    [
        (b'"id":', b'"id":"e0","id":'),
        (b'"id":', b'"id":"a:b","id":'),
        (b'"entry_id":', b'"entry_id":"n:o","entry_id":'),
        (b'"role":', b'"role":"clinical_staff","role":'),
        (b'"data":', b'"data":{},"data":'),
        (b'"data":', b'"traceparent":"x","data":'),
        (b'"entry_id":', b'"note":null,"entry_id":'),
    ],
)
def test_a_member_told_twice_or_not_known_is_left_to_the_others(what: bytes, more: bytes) -> None:
    raw = json.dumps(PLAIN, separators=(",", ":")).encode()
    changed_raw = raw.replace(what, more, 1)
    assert changed_raw != raw
    assert bare_entry(changed_raw, False) is None
    assert decode_structured(changed_raw) == the_long_way(changed_raw)


@pytest.mark.parametrize("at", INSTANTS)
@pytest.mark.parametrize("place", [(), ("time",), ("data", "started_at"), ("data", "ended_at")])
def test_a_translated_entry_is_the_same_either_way(place: tuple[str, ...], at: str) -> None:
    """Or it is left to the decoder."""
    document = (
        changed(place, at, {**PLAIN, "data": {**CLOCKED, "program": "ccm"}})
        if place
        else {**PLAIN, "data": {**CLOCKED, "program": "ccm"}}
    )
    data = document["data"]
    texts = (document["time"], data["started_at"], data["ended_at"])
    time, start, end = ((text, seconds_at(_read(text), text)) for text in texts)
    work = worked(data["performer"], data["activity"], data["program"])
    whose, key = (document["practiceid"], document["subject"]), (document["source"], document["id"])
    found = time_entry(whose, key, time, data["entry_id"], work, start, end, True)
    assert found in (None, decode_document(document, history=True))
    assert found is not None or place


def _read(text: str) -> datetime:
    """As a decoder of types reads it; long ago where it is none."""
    try:
        return msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)])
    except msgspec.ValidationError:
        return datetime(1970, 1, 1, tzinfo=UTC)
