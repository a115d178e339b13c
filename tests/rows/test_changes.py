"""Changes of a database become events, corrections and voids, in whatever order they come."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.eventstore import open_store
from projections.ports import Store
from services.ingest import Delivery
from services.rows.marks import CHANGE, MAPPING, of_changes
from services.translate.marks import from_kafka
from services.wire.modes import HISTORY
from tests.rows.changed import MS, as_event, change, history, row, source, tables, wrapped
from tests.rows.made import Kept
from tests.thoroughness import examples


@pytest.fixture
def kept(rows_store: Store) -> Kept:
    return Kept(rows_store, tables())


def standing(kept: Kept) -> dict[str, int]:
    return {each["patient_id"]: each["seconds"]["logged"] for each in kept.answers()}


@pytest.mark.parametrize(
    "form", [dict, wrapped, as_event, lambda e: as_event(wrapped(e)["payload"])]
)
def test_a_row_is_logged_amended_and_voided(kept: Kept, form: Any) -> None:
    created = change("c", row(10_000_000_000))
    updated = change("u", row(10_000_000_000, 12), row(10_000_000_000), lsn=110, ms=MS + 9)
    deleted = change("d", None, {"id": 10_000_000_000}, lsn=120, ms=MS + 20)
    for envelope, name, seconds in (
        (created, "time.logged.v1", {"pt1": 600}),
        (updated, "time.amended.v1", {"pt1": 720}),
        (deleted, "time.voided.v1", {}),
    ):
        assert kept.change(form(envelope)).accepted == 1
        assert kept.events()[-1][0] == name
        assert standing(kept) == seconds
    assert kept.events()[0][2]["entry_id"] == "timer/public.time_entries/10000000000"


def test_what_is_no_change_of_a_row_is_counted_and_let_go(kept: Kept) -> None:
    begin = {"status": "BEGIN", "id": "555:100", "event_count": None, "data_collections": None}
    ddl = {"source": source(), "databaseName": "timer", "ddl": "ALTER TABLE", "tableChanges": []}
    other = change("c", row(), table="staff")
    message = {"op": "m", "source": source(), "message": {}}
    outcome = kept.change(None, wrapped(None), {"ts_ms": MS}, wrapped(begin), ddl, other, message)
    assert (outcome.accepted, outcome.dead_lettered) == (0, 0)
    assert outcome.ignored == {
        "tombstone": 2,
        "heartbeat": 1,
        "transaction-boundary": 1,
        "schema-change": 1,
        "table-not-mapped": 1,
        "logical-message": 1,
    }


def test_in_whatever_order_and_however_often_changes_come_the_last_stands(
    rows_store: Store,
) -> None:
    kept = Kept(rows_store, tables())
    wanted = {}
    for number, order in enumerate(permutations(history())):
        patient = f"p{number}"
        wanted[patient] = 900
        for each in (*order, *order):
            after = {**each["after"], "id": number, "patient": patient}
            assert kept.change({**each, "after": after}).dead_lettered == 0
    assert standing(kept) == wanted


def test_a_row_that_was_deleted_before_its_creation_is_heard_of_never_was(kept: Kept) -> None:
    kept.change(change("d", None, row(), lsn=120, ms=MS + 20))
    outcome = kept.change(change("c", row()), change("u", row(minutes=12), lsn=110))
    assert outcome.ignored == {"superseded": 2}
    assert not kept.events()
    assert kept.change(change("c", row(), lsn=200, ms=MS + 99)).accepted == 1


def test_a_row_marked_as_deleted_stands_no_more(kept: Kept) -> None:
    kept.change(change("c", row()))
    kept.change(change("u", row(deleted=True), lsn=110, ms=MS + 5))
    assert kept.events()[-1][0] == "time.voided.v1"


def test_a_snapshot_is_history_and_later_changes_are_not(kept: Kept) -> None:
    kept.change(change("r", row(), snapshot="first"))
    kept.change(change("c", row(8), snapshot="last", lsn=100))
    kept.change(change("u", row(minutes=12), lsn=110, ms=MS + 5))
    flags = [json.loads(stored.state).get("history", False) for stored in kept.store.log(0, 9)]
    assert flags == [True, True, False]


def test_a_snapshot_that_was_read_late_does_not_undo_a_change_that_came_before(kept: Kept) -> None:
    kept.change(change("u", row(minutes=12), lsn=110, ms=MS))
    read = change("r", row(minutes=10), lsn=100, ms=MS + 60_000, snapshot="true")
    assert kept.change(read).ignored == {"superseded": 1}
    assert standing(kept) == {"pt1": 720}


def test_another_snapshot_of_unchanged_rows_adds_nothing(kept: Kept) -> None:
    kept.change(change("r", row(), snapshot="true"))
    again = kept.change(change("r", row(), lsn=900, ms=MS + 10**6, snapshot="true"))
    assert (again.accepted, again.ignored) == (0, {"unchanged": 1})
    late = kept.change(change("u", row(minutes=12), lsn=500, ms=MS + 10))
    assert late.ignored == {"superseded": 1}


def test_a_log_that_counts_anew_is_for_a_person_until_the_mapping_says_so(
    rows_store: Store,
) -> None:
    Kept(rows_store, tables()).change(change("c", row(), lsn=5_000))
    moved = change("u", row(minutes=12), lsn=40, ms=MS + 86_400_000)
    kept = Kept(rows_store, tables())
    kept.change(moved)
    assert [letter.reason for letter in kept.letters()] == ["ambiguous"]
    kept = Kept(rows_store, tables().model_copy(update={"generation": 1}))
    assert kept.change(moved).accepted == 1
    assert standing(kept) == {"pt1": 720}


def test_a_table_that_was_emptied_at_once_is_for_a_person(kept: Kept) -> None:
    kept.change(change("c", row()), change("t", lsn=110))
    assert [letter.reason for letter in kept.letters()] == ["unmapped-status"]
    assert standing(kept) == {"pt1": 600}


def test_a_value_that_the_database_left_out_is_not_taken_for_one(kept: Kept) -> None:
    kept.change(change("u", row(task="__debezium_unavailable_value")))
    (letter,) = kept.letters()
    assert (letter.reason, letter.field) == ("missing-member", "task")


def test_a_deleted_row_is_known_by_the_message_s_key(kept: Kept) -> None:
    kept.change(change("c", row()))
    for key in (b'{"id":7}', b'{"schema":{},"payload":{"id":7}}'):
        gone = json.dumps(change("d", None, None, lsn=120, ms=MS + 9)).encode()
        kept.ingest.take([Delivery(gone, key, of_changes("timer"), "test:0")])
    assert not standing(kept)
    kept.change(change("d", None, None, lsn=130))
    assert [letter.field for letter in kept.letters()] == ["id"]


def test_a_row_that_moves_to_another_patient_leaves_the_first(kept: Kept) -> None:
    kept.change(change("c", row()))
    kept.change(change("u", row(patient="pt2"), lsn=110, ms=MS + 1))
    assert standing(kept) == {"pt2": 600}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not-json"),
        (b"[]", "missing-member"),
        ({"id": 7, "patient": "pt1"}, "missing-member"),
        ({"op": "c", "after": row()}, "missing-member"),
        (change("x", row()), "missing-member"),
        (change("c", None), "missing-member"),
        (change("c", row(patient=None)), "missing-member"),
        (change("c", row(began="soon")), "invalid-member"),
        (change("c", row(minutes=0)), "ends-before-start"),
        (change("c", row(nurse=[1])), "invalid-member"),
        ({**change("c", row(), ms=0), "ts_ms": None}, "no-recorded-time"),
    ],
)
def test_a_bad_change_is_a_letter(kept: Kept, body: Any, reason: str) -> None:
    kept.change(change("c", row(1)), body, change("c", row(2, began=MS * 1000 - 4 * 10**9)))
    assert [letter.reason for letter in kept.letters()] == [reason]
    assert len(kept.events()) == 2


def test_headers_of_ours_are_not_taken_from_outside() -> None:
    given_ = (("caretally-mapping", b"m"), ("caretally-fhir", b"x"), (HISTORY, b"true"), ("h", b""))
    assert from_kafka(given_, CHANGE, MAPPING) == ((CHANGE, b"m"), (HISTORY, b"true"), ("h", b""))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)
PARTS = st.sampled_from(["before", "after", "source", "op", "ts_ms", "payload", "specversion"])


@settings(max_examples=examples(300), deadline=None)
@given(PARTS, st.sampled_from([*row(), *source()]), JSON, st.sampled_from("curdt"))
def test_no_damage_stops_the_feed_or_invents_a_minute(
    part: str, member: str, value: Any, op: str
) -> None:
    store = open_store("memory:")
    kept = Kept(store, tables())
    good = change(op, row(), {"id": 7})
    whole = {**good, part: value}
    inner = {**good, "after": {**row(), member: value}, "source": {**source(), member: value}}
    outcome = kept.change(whole, inner)
    assert len(outcome.results) == 2
    assert set(standing(kept).values()) <= {600} or member in ("began", "ended")
