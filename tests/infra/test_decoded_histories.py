"""A history decoded for a fold is what its events are one by one, but for the digests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.event import Event
from infra.codec import UndecodableEvent, canonical_json, decode_event, decode_history, encode_state
from projections.ports import StoredEvent
from tests.infra.test_codec import JSON_OBJECT, TEXT, golden, stored
from tests.thoroughness import examples

OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
INSTANTS = st.builds(
    lambda moment, digits, zulu: _text(moment, digits, zulu),
    st.datetimes(datetime(2010, 1, 1), datetime(2099, 12, 31), timezones=OFFSETS | st.just(UTC)),
    st.sampled_from(("", ".5", ".123456", ".9999999999")),
    st.booleans(),
)
PERFORMERS = st.fixed_dictionaries(
    {
        "id": TEXT,
        "role": st.sampled_from(
            ("clinical_staff", "billing_practitioner", "other_practitioner", "non_clinical")
        ),
    },
    optional={"outside_us": st.booleans(), "name": TEXT},
)


def _text(moment: datetime, digits: str, zulu: bool) -> str:
    whole = moment.astimezone(UTC) if zulu else moment
    text = whole.isoformat(timespec="seconds")
    offset = text[19:]
    return text[:19] + digits + ("Z" if zulu else offset)


@st.composite
def entries(draw: st.DrawFn) -> StoredEvent:
    """A time entry with anything that the log may hold of one."""
    data: dict[str, object] = dict(draw(JSON_OBJECT))
    data |= {"entry_id": draw(TEXT), "performer": draw(PERFORMERS), "activity": draw(TEXT)}
    if draw(st.booleans()):
        data["program"] = draw(st.sampled_from(("ccm", "rpm", "ccm ")))
    if draw(st.booleans()):
        data |= {"started_at": draw(INSTANTS), "ended_at": draw(INSTANTS)}
    if draw(st.booleans()):
        data |= {"performed_on": "2025-03-05", "seconds": draw(st.integers(1, 86_400))}
    state = encode_state(
        source=draw(TEXT),
        id=draw(TEXT),
        time_text=draw(INSTANTS),
        recorded_at_us=draw(st.none() | st.integers(0, 4_000_000_000_000_000)),
        previous=draw(st.none() | st.binary(min_size=32, max_size=32)),
        data=canonical_json(data),
        history=draw(st.booleans()),
    )
    return StoredEvent("p%2F1/pt/1", draw(st.integers(1, 9)), "time.logged.v1", state, b"")


def together(events: list[StoredEvent]) -> list[Event] | None:
    """As decoded in one go; None where that is not possible."""
    try:
        return decode_history(events[0].stream_id, [event[:4] for event in events])
    except UndecodableEvent:
        return None


def one_by_one(events: list[StoredEvent]) -> list[Event] | None:
    try:
        return [replace(decode_event(event), digest=b"") for event in events]
    except UndecodableEvent:
        return None


@given(st.lists(entries(), min_size=1, max_size=4))
@settings(max_examples=examples(150))
def test_entries_of_any_form_are_what_they_are_one_by_one(events: list[StoredEvent]) -> None:
    found = together(events)
    assert found == one_by_one(events)
    for event, same in zip(found or [], one_by_one(events) or [], strict=True):
        assert event.history == same.history
        assert (type(event), type(event.fact)) == (type(same), type(same.fact))


def test_every_type_of_event_is_decoded_in_one_go() -> None:
    for line in golden():
        event = stored(line)
        assert together([event]) == one_by_one([event]) != None  # noqa: E711


@pytest.mark.parametrize("broken", [b"", b"{", b'{"source":"s"}', b'{"source":1,"id":"i"}'])
def test_an_event_out_of_form_is_named(broken: bytes) -> None:
    rows = [("p1/pt1", 7, "time.logged.v1", broken)]
    with pytest.raises(UndecodableEvent, match=r"p1/pt1 version 7 \(time.logged.v1\)"):
        decode_history("p1/pt1", rows)
