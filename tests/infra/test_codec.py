"""Stored bytes mean the same for ever, and no two contents share them."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.facts import FACT_OF_TYPE, Clocked, TimeLogged, TimeVoided
from infra import codec
from infra.codec import UndecodableEvent
from projections.ports import StoredEvent
from tests.chain import BrokenChain, verify_chain
from tests.infra.golden_events import FACTS
from tests.services.wire_examples import EXAMPLES, accepted, cloudevent

GOLDEN = Path(__file__).parent / "golden" / "events_v1.jsonl"

TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
)
JSON_OBJECT = st.dictionaries(TEXT, JSON, max_size=4)


def golden() -> list[dict[str, Any]]:
    return [json.loads(line) for line in GOLDEN.read_text("utf-8").splitlines()]


def stored(line: dict[str, Any]) -> StoredEvent:
    state = line["state"].encode()
    key = bytes.fromhex(line["key"])
    return StoredEvent(line["stream_id"], line["version"], line["name"], state, key)


def logged(started_at: str, ended_at: str, time: str = "2025-03-05T15:21:00Z") -> StoredEvent:
    data = {
        "entry_id": "t1",
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "care_coordination",
        "started_at": started_at,
        "ended_at": ended_at,
    }
    return made("time.logged.v1", data, time)


def made(name: str, data: dict[str, Any], time: str = "2025-03-05T15:21:00Z") -> StoredEvent:
    state = codec.encode_state(
        source="s",
        id="e1",
        time_text=time,
        recorded_at_us=1,
        previous=None,
        data=codec.canonical_json(data),
    )
    return StoredEvent("p1/pt1", 1, name, state, codec.event_key("s", "e1"))


# --- history ----------------------------------------------------------------------------------


def test_the_golden_file_has_every_event_type_once() -> None:
    assert [line["name"] for line in golden()] == list(FACT_OF_TYPE)
    assert list(FACTS) == list(FACT_OF_TYPE)


@pytest.mark.parametrize("line", golden(), ids=lambda line: line["name"])
def test_what_was_stored_means_the_same_for_ever(line: dict[str, Any]) -> None:
    """Fact, attributes, dedupe key, content digest and chain link of released bytes."""
    event = codec.decode_event(stored(line))
    version = line["version"]
    assert event.fact == FACTS[line["name"]]
    assert (event.practice_id, event.patient_id) == ("p/1%", "pt/1")
    assert (event.source, event.id) == ('//ehr.example/ü,"time":"', f"e{version}")
    assert event.time == 1_741_188_060
    assert event.recorded_at_us == 1_741_188_061_000_000 + version
    assert event.digest.hex() == line["digest"]
    assert codec.event_key(event.source, event.id).hex() == line["key"]
    link = codec.link(line["stream_id"], version, line["name"], line["state"].encode())
    assert link.hex() == line["link"]


def test_the_golden_chain_holds() -> None:
    verify_chain([stored(line) for line in golden()])


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_event_is_stored_and_decoded_without_loss(name: str) -> None:
    """What the door accepted is what later readers get, digest included."""
    taken = accepted(cloudevent(name))
    event = taken.event
    state = codec.encode_state(
        source=event.source,
        id=event.id,
        time_text=taken.time_text,
        recorded_at_us=17,
        previous=None,
        data=taken.data,
    )
    stream = codec.stream_id(event.practice_id, event.patient_id)
    read = codec.decode_event(StoredEvent(stream, 1, name, state, b""))
    assert read == replace(event, recorded_at_us=17)


@pytest.mark.parametrize("name", sorted(FACT_OF_TYPE))
def test_members_that_are_not_of_the_type_may_hold_anything(name: str) -> None:
    data, ours = EXAMPLES[name][0], {field.name for field in fields(FACT_OF_TYPE[name])}
    everywhere = {member for example, _ in EXAMPLES.values() for member in example}
    work = {"started_at", "ended_at", "performed_on", "seconds"}
    strange = {member: [{"odd": 1.5}] for member in everywhere - ours - work - data.keys()}
    assert strange
    odd = accepted(cloudevent(name, data=data | strange))
    assert codec.decode_event(made(name, json.loads(odd.data))).fact == EXAMPLES[name][1]


def test_a_retired_event_type_is_read_as_its_successor() -> None:
    """Through any number of steps; the digest stays that of what was said."""
    old = made("time.cancelled.v0", {"entry": "t1"})
    upcasters: codec.Upcasters = {
        "time.cancelled.v0": ("time.voided.v0", lambda data: {"entry_id": data["entry"]}),
        "time.voided.v0": ("time.voided.v1", lambda data: data | {"reason": "unknown"}),
    }
    event = codec.decode_event(old, upcasters)
    assert event.fact == TimeVoided("t1", "unknown")
    assert event.digest == codec.content_digest(
        "p1", "pt1", "time.cancelled.v0", "2025-03-05T15:21:00Z", b'{"entry":"t1"}'
    )


def test_upcasters_that_lead_in_a_circle_are_refused() -> None:
    circle: codec.Upcasters = {"a.v0": ("b.v0", dict), "b.v0": ("a.v0", dict)}
    with pytest.raises(UndecodableEvent, match=r"a\.v0"):
        codec.decode_event(made("a.v0", {}), circle)


@pytest.mark.parametrize(
    ("name", "state", "why"),
    [
        ("os.system", b'{"source":"s","id":"e","time":"2025-03-05T15:21:00Z","data":{}}', "named"),
        ("time.voided.v1", b"\xff", "JSON"),
        ("time.voided.v1", b"", "truncated"),
        ("time.voided.v1", b'{"source":"s","id":"e","time":"2025","data":{}}', "RFC3339"),
        ("time.voided.v1", made("time.voided.v1", {"entry_id": "t"}).state, "reason"),
        ("time.logged.v1", logged("2025-03-05T15:21:00", "2025-03-05T15:22:00Z").state, "offset"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(name: str, state: bytes, why: str) -> None:
    with pytest.raises(UndecodableEvent, match=why) as caught:
        codec.decode_event(StoredEvent("p1/pt1", 3, name, state, b""))
    assert f"p1/pt1 version 3 ({name})" in str(caught.value)


# --- time -------------------------------------------------------------------------------------


@pytest.mark.parametrize("digits", ["", ".0", ".5", ".999999", ".9999995", ".99999999999999999999"])
@pytest.mark.parametrize("offset", ["Z", "z", "-05:00", "+14:00", "-00:00"])
def test_instants_are_cut_never_rounded(digits: str, offset: str) -> None:
    hours = 0 if offset in "Zz" else int(offset[:3])
    expected = 1_741_188_059 - 3600 * hours
    text = f"2025-03-05T15:20:59{digits}{offset}"
    assert codec.instant(text) == expected
    event = codec.decode_event(logged(text, f"2025-03-05T23:59:59{digits}{offset}", text))
    assert event.time == expected
    assert isinstance(event.fact, TimeLogged)
    assert event.fact.work == Clocked(expected, expected + 31_140)


@given(st.datetimes(datetime(2010, 1, 1), datetime(2099, 12, 31)), st.integers(-1439, 1439))
def test_instants_agree_with_the_calendar(moment: datetime, offset: int) -> None:
    hours, minutes = divmod(abs(offset), 60)
    text = f"{moment.isoformat()}{'-' if offset < 0 else '+'}{hours:02d}:{minutes:02d}"
    utc = moment.replace(tzinfo=UTC) - timedelta(minutes=offset)
    expected = (utc - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    assert codec.instant(text) == expected
    assert codec.decode_event(made("patient.died.v1", {"died_on": "2025-01-01"}, text)).time == (
        expected
    )


@given(st.integers(0, 4_102_444_800_000_000))
def test_recording_times_keep_every_microsecond(microseconds: int) -> None:
    text = codec.utc_text(microseconds)
    assert len(text) == len("2025-03-05T15:21:00.000000Z")
    moment = datetime.fromisoformat(text)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) == microseconds


@pytest.mark.parametrize("text", ["2025-03-05", "2025-03-05T15:21:00", "now", ""])
def test_an_instant_without_time_or_offset_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"offset|RFC 3339"):
        codec.instant(text)


# --- canonical JSON ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"b": 1, "a": {"z": None, "y": [True, 1.0]}}, b'{"a":{"y":[true,1],"z":null},"b":1}'),
        (-0.0, b"0"),
        (1200.0, b"1200"),
        (0.1, b"0.1"),
        (1e20, b"100000000000000000000"),
        (2**70, str(2**70).encode()),
        ('é\u2028\0"\\/', '"é\u2028\\u0000\\"\\\\/"'.encode()),
        ({}, b"{}"),
    ],
)
def test_canonical_json_is_sorted_compact_and_says_numbers_one_way(
    value: object, expected: bytes
) -> None:
    assert codec.canonical_json(value) == expected


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"a": [float("-inf")]}, "\ud800", {"\udfff": 1}]
)
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"JSON number|surrogates"):
        codec.canonical_json(value)


def test_a_bottomless_nest_is_refused() -> None:
    nest: list[Any] = []
    for _ in range(100_000):
        nest = [nest]
    with pytest.raises(ValueError, match="nested too deeply"):
        codec.canonical_json(nest)


@given(JSON)
def test_canonical_json_is_a_fixed_point_with_the_same_value(value: object) -> None:
    text = codec.canonical_json(value)
    assert json.loads(text) == value
    assert codec.canonical_json(json.loads(text)) == text


@given(JSON_OBJECT)
def test_the_order_of_members_does_not_matter(value: dict[str, object]) -> None:
    turned = dict(reversed(value.items()))
    assert codec.canonical_json(turned) == codec.canonical_json(value)


# --- names, keys and digests ------------------------------------------------------------------


@given(TEXT, TEXT)
def test_stream_ids_split_into_what_they_were_made_of(practice: str, patient: str) -> None:
    stream = codec.stream_id(practice, patient)
    assert codec.split_stream_id(stream) == (practice, patient)
    assert "/" not in stream[: stream.index("/")]


def test_a_plain_stream_id_reads_as_practice_and_patient() -> None:
    assert codec.stream_id("p1", "pt/1%") == "p1/pt/1%"
    assert codec.stream_id("a/b%", "pt1") == "a%2Fb%25/pt1"
    with pytest.raises(ValueError, match="no '/'"):
        codec.split_stream_id("p1")


@given(st.tuples(TEXT, TEXT), st.tuples(TEXT, TEXT))
def test_only_equal_pairs_share_an_event_key(one: tuple[str, str], two: tuple[str, str]) -> None:
    assert (codec.event_key(*one) == codec.event_key(*two)) == (one == two)
    assert len(codec.event_key(*one)) == 16


def test_moving_a_character_between_parts_changes_key_digest_and_link() -> None:
    assert codec.event_key("ab", "c") != codec.event_key("a", "bc")
    assert codec.event_key("1:a", "") != codec.event_key("1", ":a")
    assert codec.content_digest("ab", "c", "t", "1", b"{}") != codec.content_digest(
        "a", "bc", "t", "1", b"{}"
    )
    assert codec.link("a/b", 11, "n", b"{}") != codec.link("a/b1", 1, "n", b"{}")
    assert codec.link("a/b", 1, "n1", b"{}") != codec.link("a/b", 1, "n", b"1{}")


@given(TEXT, TEXT, JSON_OBJECT)
def test_the_digest_of_stored_content_is_that_of_the_content(
    source: str, patient: str, unknown: dict[str, object]
) -> None:
    """Whatever the source is called and whatever else the data says."""
    data = codec.canonical_json(unknown | {"died_on": "2025-06-30"})
    state = codec.encode_state(
        source=source,
        id=f'{source}","time":"',
        time_text="2025-07-01T00:00:00Z",
        recorded_at_us=None,
        previous=b"\1" * 32,
        data=data,
    )
    stream = codec.stream_id("p1", patient)
    event = codec.decode_event(StoredEvent(stream, 2, "patient.died.v1", state, b""))
    assert event.digest == codec.content_digest(
        "p1", patient, "patient.died.v1", "2025-07-01T00:00:00Z", data
    )
    assert (event.source, event.recorded_at_us) == (source, None)
    assert codec.previous_link(state) == b"\1" * 32


# --- the chain --------------------------------------------------------------------------------


def test_any_changed_byte_breaks_the_chain() -> None:
    """Whichever byte of whichever event but the last, whose link nobody holds yet."""
    events = [stored(line) for line in golden()]
    for place, event in enumerate(events[:-1]):
        for at in range(0, len(event.state), 7):
            bad = bytearray(event.state)
            bad[at] ^= 1
            changed = [*events[:place], event._replace(state=bytes(bad)), *events[place + 1 :]]
            with pytest.raises(BrokenChain) as caught:
                verify_chain(changed)
            assert caught.value.version in (event.version, event.version + 1)


def test_a_dropped_doubled_renamed_or_moved_event_breaks_the_chain() -> None:
    events = [stored(line) for line in golden()]
    renamed = events[2]._replace(name="patient.died.v2")
    strange = events[4]._replace(stream_id="p1/other")
    for bad, version in [
        ([*events[:2], *events[3:]], 4),
        ([*events[:3], *events[2:]], 3),
        ([*events[:2], renamed, *events[3:]], 4),
        ([strange, *(e._replace(stream_id="p1/other") for e in events[5:])], 6),
        ([events[1]._replace(version=1)], 1),
        ([events[0]._replace(version=7)], 7),
    ]:
        with pytest.raises(BrokenChain) as caught:
            verify_chain(bad)
        assert caught.value.version == version
        assert caught.value.stream_id == bad[0].stream_id


def test_chains_of_several_streams_are_checked_side_by_side() -> None:
    one, two = made("time.voided.v1", {"a": 1}), made("time.voided.v1", {"a": 2})
    two = two._replace(stream_id="p1/other")
    verify_chain([one, two])
    verify_chain([stored(line) for line in golden()[5:]])
