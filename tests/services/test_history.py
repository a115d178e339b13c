"""What is imported as history alerts nobody: not now, not by its end, not after a replay."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.rejections import Reason
from infra.codec import decode_event
from infra.eventstore import open_store
from projections.ports import Store
from services.dead_letters import replay_letters
from services.doors.files import ingest_file
from services.ingest import Delivery
from services.notify.deliverable import deliverable
from services.wire.encode import to_cloudevent
from tests.chain import verify_chain
from tests.services.command import Command
from tests.services.timed import Timed, as_stored, chart, logged, replayed, said
from tests.services.wire_examples import accepted, changed, cloudevent, refusal

NOW = "2025-03-20T12:00:00Z"
MARCH, APRIL = "2025-03", "2025-04"
NEAR, REACHED = "threshold.approaching", "threshold.reached"
CLAIM = {"month": MARCH, "codes": [{"code": "99490", "units": 1}], "claim_id": "c1"}


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = open_store("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/care.db")
    yield opened
    opened.close()


def delivered(store: Store) -> list[tuple[str, str]]:
    return [(row.state.type, row.patient_id) for row in deliverable(store, 0, 10_000).rows]


def test_history_is_stored_with_its_alerts_and_delivers_none_then_a_live_event_does(
    store: Store,
) -> None:
    timed = Timed(NOW, store)
    timed.say(*chart("a"), logged("a", 1_200), *chart("b"), logged("b", 1_000), history=True)
    assert timed.rows() == [
        ("a", REACHED, MARCH, "raised", "history"),
        ("b", NEAR, MARCH, "raised", "history"),
    ]
    assert deliverable(store, 0, 9).through == 2
    assert delivered(store) == []
    timed.say(logged("b", 200, "2025-03-20"))
    assert timed.rows(2) == [
        ("b", NEAR, MARCH, "resolved", "never-raised"),
        ("b", REACHED, MARCH, "raised", None),
    ]
    assert delivered(store) == [(REACHED, "b")]


def test_what_was_seen_raised_is_seen_resolved_though_history_ends_it(store: Store) -> None:
    timed = Timed(NOW, store)
    timed.say(*chart("a"), logged("a", 1_200))
    (entry,) = [json.loads(m)["data"]["entry_id"] for m in [logged("a", 1_200)]]
    void = {"entry_id": entry, "reason": "entered in error"}
    timed.say(said("time.voided.v1", void, "v1", "a"), history=True)
    assert timed.rows() == [
        ("a", REACHED, MARCH, "raised", None),
        ("a", REACHED, MARCH, "resolved", None),
    ]


def test_a_month_that_is_long_over_delivers_nothing_but_that_its_claim_has_diverged(
    store: Store,
) -> None:
    timed = Timed("2025-07-02T04:00:00Z", store)
    timed.say(*chart("a"), logged("a", 1_200))
    claim = said("month.claimed.v1", {**CLAIM, "submitted_on": "2025-04-02"}, "c1", "a")
    timed.say(claim)
    (entry,) = [json.loads(m)["data"]["entry_id"] for m in [logged("a", 1_200)]]
    timed.say(said("time.voided.v1", {"entry_id": entry, "reason": "wrong"}, "v1", "a"))
    assert timed.rows() == [
        ("a", REACHED, MARCH, "raised", "month-long-over"),
        ("a", REACHED, MARCH, "resolved", "never-raised"),
        ("a", "claim.diverged", MARCH, "raised", None),
    ]


def test_a_suppressed_transition_says_why_and_any_other_has_no_such_member(store: Store) -> None:
    timed = Timed(NOW, store)
    timed.say(*chart("a"), logged("a", 1_200), history=True)
    timed.say(*chart("b"), logged("b", 1_200))
    first, second = (json.loads(row.body) for row in store.transitions(0, 9))
    assert list(first)[-1] == "suppressed"
    assert first["suppressed"] == "history"
    assert "suppressed" not in second
    assert first.keys() - second.keys() == {"suppressed"}


def test_the_mark_is_no_content_the_same_event_with_and_without_it_is_one(store: Store) -> None:
    timed = Timed(NOW, store)
    event = logged("a", 1_200)
    assert timed.say(*chart("a"), event).accepted == 7
    again = timed.say(event, logged("a", 1_200, backfill=True), history=True)
    assert (again.accepted, again.duplicates, again.dead_lettered) == (0, 2, 0)
    other = timed.say(logged("b", 60, backfill=True), logged("b", 60))
    assert (other.accepted, other.duplicates) == (1, 1)


def test_the_mark_lies_in_the_log_so_that_a_replay_and_a_copy_stay_silent(store: Store) -> None:
    timed = Timed(NOW, store)
    timed.say(*chart("a"), history=True)
    timed.say(logged("a", 1_000, backfill=True), logged("a", 300, "2025-03-06"))
    log = store.log(0, 99)
    verify_chain(log)
    assert [decode_event(e).history for e in log] == [True] * 7 + [False]
    assert [json.loads(e.state).get("history") for e in log] == [True] * 7 + [None]
    assert replayed(store, timed.policy_of) == as_stored(store)
    copy = Timed(NOW)
    copy.say(*map(to_cloudevent, log))
    assert copy.rows() == timed.rows()
    assert [decode_event(e).history for e in copy.store.log(0, 99)] == [True] * 7 + [False]


def test_events_without_the_mark_are_stored_in_the_bytes_they_always_were() -> None:
    timed = Timed(NOW)
    timed.say(logged("a", 60))
    (stored,) = timed.store.log(0, 9)
    members = ["recorded_at", "source", "id", "time", "previous", "data"]
    assert list(json.loads(stored.state)) == members


def test_a_restarted_process_knows_what_was_raised_in_silence(store: Store) -> None:
    Timed(NOW, store).say(*chart("a"), logged("a", 1_000), history=True)
    timed = Timed(NOW, store)
    timed.say(logged("a", 200, "2025-03-20"))
    assert [row[4] for row in timed.rows()] == ["history", "never-raised", None]


def test_the_attribute_is_a_boolean_or_in_headers_its_text() -> None:
    assert accepted(cloudevent(backfill=True)).event.history
    assert accepted(cloudevent(backfill="true")).event.history
    assert not accepted(cloudevent(backfill=False)).event.history
    assert not accepted(cloudevent(backfill=None)).event.history
    assert not accepted(cloudevent()).event.history
    for odd in (1, "yes", "True", [], {}):
        refused = refusal(cloudevent(backfill=odd))
        assert (refused.reason, refused.field) == (Reason.INVALID_MEMBER, "backfill")
        assert "expected true or false" in refused.sentence


def test_binary_messages_carry_the_mark_in_a_header(store: Store) -> None:
    timed = Timed(NOW, store)
    timed.say(*chart("a"), history=True)
    event = json.loads(logged("a", 1_200, backfill=True))
    data = json.dumps(event.pop("data")).encode()
    headers = tuple((f"ce_{n}", b"true" if v is True else v.encode()) for n, v in event.items())
    timed.ingest.take([Delivery(data, None, headers, "test")])
    assert timed.rows() == [("a", REACHED, MARCH, "raised", "history")]


def test_nobody_but_our_own_clock_ticks() -> None:
    tick = changed(cloudevent(), "type", "clock.ticked.v1")
    refused = refusal(changed(tick, "data", {"month": MARCH, "boundary": "at-risk"}))
    assert (refused.reason, refused.field) == (Reason.UNKNOWN_TYPE, "type")
    refused = refusal(cloudevent(source="caretally:clock"))
    assert (refused.reason, refused.field) == (Reason.INVALID_MEMBER, "source")


def test_a_line_of_history_that_was_refused_is_history_when_it_is_put_in_again(
    store: Store, tmp_path: Path
) -> None:
    timed = Timed(NOW, store)
    path = tmp_path / "history.jsonl"
    conflicting = logged("a", 1_200).replace(b'"/ehr"', b'"/elsewhere"')
    path.write_bytes(b"\n".join([*chart("a"), b"{broken", conflicting]))
    outcome = ingest_file(timed.ingest, store, path, history=True)
    assert (outcome.accepted, outcome.dead_lettered) == (7, 1)
    (letter,) = store.dead_letters()
    assert ("caretally-history", b"true") in letter.headers
    mended = Delivery(logged("a", 1_200, "2025-03-07"), None, letter.headers, letter.origin)
    timed.ingest.take([mended])
    assert {row[4] for row in timed.rows()} == {"history"}
    (again,) = replay_letters(timed.ingest, [letter], 10)
    assert again.rejection is not None


def test_the_command_imports_history_in_silence_and_alerts_tells_why(tmp_path: Path) -> None:
    command = Command(tmp_path)
    path = tmp_path / "years.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join([*chart("a"), logged("a", 1_200)])))
    assert command("ingest", "--history", path).code == 0
    # Run on the last days of a month, the month that is current is at risk too.
    (line,) = [line for line in command("alerts").lines() if line["month"] == "2025-03"]
    assert (line["state"], line["suppressed"]) == ("raised", "history")
    lines = command("export").lines()
    assert [event["backfill"] for event in lines] == [True] * 7
