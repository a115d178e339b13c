"""What every store gives back: histories, assessments, letters, as they were written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infra import codec
from projections.ports import (
    Snapshot,
    Store,
    StreamMoved,
)
from tests.contracts.made import (
    assessment,
    batch,
    event,
    letter,
    snapshot,
    transition,
)


def test_a_snapshot_stands_for_the_events_before_it(store: Store) -> None:
    """Each history begins where its own snapshot ends; one without begins at the beginning."""
    kept = snapshot(2)
    store.commit(batch(event(1), event(2), event(1, "pt2"), event(2, "pt2"), snapshots=[kept]))
    store.commit(batch(event(3)))
    loaded = store.load(["p1/pt1", "p1/pt2"], "form a")
    assert loaded["p1/pt1"].snapshot == kept
    assert [e.version for e in loaded["p1/pt1"].events] == [3]
    assert loaded["p1/pt2"].snapshot is None
    assert [e.version for e in loaded["p1/pt2"].events] == [1, 2]


@pytest.mark.parametrize("form", [None, "form b", ""])
def test_a_snapshot_of_another_form_is_passed_over(store: Store, form: str | None) -> None:
    """The whole history comes instead, as it does for whoever wants no snapshot."""
    store.commit(batch(event(1), event(2), event(3), snapshots=[snapshot(2)]))
    loaded = store.load(["p1/pt1"], form)["p1/pt1"]
    assert loaded.snapshot is None
    assert [e.version for e in loaded.events] == [1, 2, 3]


def test_a_later_snapshot_takes_the_place_of_an_earlier_one_and_never_the_other_way(
    store: Store,
) -> None:
    def kept(form: str) -> Snapshot | None:
        return store.load(["p1/pt1"], form)["p1/pt1"].snapshot

    store.commit(batch(event(1), event(2), event(3), snapshots=[snapshot(2)]))
    store.commit(batch(snapshots=[snapshot(1, "form b")]))
    assert (kept("form a"), kept("form b")) == (snapshot(2), None)
    store.commit(batch(snapshots=[snapshot(2, "form b")]))
    assert (kept("form a"), kept("form b")) == (None, snapshot(2, "form b"))
    store.commit(batch(snapshots=[snapshot(3)]))
    assert kept("form a") == snapshot(3)


def test_a_snapshot_of_megabytes_comes_back_byte_by_byte(store: Store) -> None:
    state = bytes(range(256)) * 16_384
    store.commit(batch(event(1), snapshots=[replace(snapshot(1), state=state)]))
    found = store.load(["p1/pt1"], "form a")["p1/pt1"].snapshot
    assert found is not None
    assert found.state == state


def parted(version: int, form: str = "form a", **parts: bytes | None) -> Snapshot:
    named = {name.encode(): body for name, body in parts.items()}
    return replace(snapshot(version, form), parts=named)


def test_a_snapshots_parts_are_written_once_and_go_with_the_last_that_names_them(
    store: Store,
) -> None:
    """What a later one does not bring anew stays as it is; what it does not name is gone."""

    def kept() -> Snapshot | None:
        return store.load(["p1/pt1"], "form a")["p1/pt1"].snapshot

    other = replace(parted(2, a=b"of another"), stream_id="p1/pt2")
    whole = [event(1), event(2), event(3), event(1, "pt2"), event(2, "pt2")]
    store.commit(batch(*whole, snapshots=[parted(1, a=b"\x00a", b=b"b"), other]))
    assert kept() == parted(1, a=b"\x00a", b=b"b")
    store.commit(batch(snapshots=[parted(2, a=None, c=b"c\xff")]))
    assert kept() == parted(2, a=b"\x00a", c=b"c\xff")
    store.commit(batch(snapshots=[parted(3, b=None, c=None)]))
    assert kept() == parted(3, c=b"c\xff")  # what is lacking, whoever reads it sees
    store.commit(batch(snapshots=[parted(3)]))
    assert kept() == parted(3)
    assert store.load(["p1/pt2"], "form a")["p1/pt2"].snapshot == other


def test_an_earlier_snapshot_leaves_the_parts_of_a_later_one_alone(store: Store) -> None:
    store.commit(batch(event(1), event(2), snapshots=[parted(2, a=b"a")]))
    store.commit(batch(snapshots=[parted(1, b=b"b"), replace(parted(1), stream_id="p1/pt9")]))
    assert store.load(["p1/pt1"], "form a")["p1/pt1"].snapshot == parted(2, a=b"a")
    store.commit(batch(snapshots=[parted(2, "form b", b=b"b", a=None)]))
    assert store.load(["p1/pt1"], "form b")["p1/pt1"].snapshot == parted(
        2, "form b", b=b"b", a=b"a"
    )


def test_alert_states_are_the_last_transitions(store: Store) -> None:
    store.commit(batch(transitions=[transition(1), transition(2), transition(1, alert="a0")]))
    store.commit(batch(transitions=[transition(3)]))
    alerts = store.load(["p1/pt1"])["p1/pt1"].alerts
    assert [(a.alert_id, a.transition, a.raised) for a in alerts] == [
        ("a0", 1, True),
        ("a1", 3, True),
    ]
    rows = store.transitions(0, 10)
    assert [(t.position, t.state.alert_id, t.state.transition) for t in rows] == [
        (1, "a1", 1),
        (2, "a1", 2),
        (3, "a0", 1),
        (4, "a1", 3),
    ]
    assert rows[0] == transition(1)._replace(position=1)
    assert store.transitions(3, 10) == rows[3:]


def test_assessments_carry_the_patients_version_as_their_last_member(store: Store) -> None:
    """A later event that changes one month shows in every month's number."""
    store.commit(batch(event(1), assessments=[assessment(month="2025-03")]))
    store.commit(batch(event(2), assessments=[assessment(month="2025-04")]))
    assert list(store.assessments()) == [
        b'{"month":"2025-03","patient_id":"pt1","status":"accruing","stream_version":2}',
        b'{"month":"2025-04","patient_id":"pt1","status":"accruing","stream_version":2}',
    ]


def test_assessments_are_replaced_and_removed(store: Store) -> None:
    store.commit(batch(assessments=[assessment(), assessment(month="2025-04")]))
    store.commit(
        batch(
            assessments=[assessment(status="blocked"), assessment(status="billable")],
            removed_months=[("p1/pt1", "2025-04"), ("p1/pt1", "2030-01")],
        )
    )
    (only,) = store.assessments()
    assert b'"status":"billable"' in only
    assert list(store.assessments(status="accruing")) == []


def test_assessments_are_ordered_by_code_point_of_practice_patient_month(store: Store) -> None:
    """Not by locale, not by the escaped stream id."""
    ids = ["b", "B", "a/", "a", "a%", "é", "z", "\U0001f600", "\ufffd", "a-", "10", "9"]
    rows = [
        assessment(patient, month, practice)
        for practice in ids
        for patient in ("2", "10", "é")
        for month in ("2025-04", "2025-03")
    ]
    store.commit(batch(assessments=rows))
    ordered = sorted(rows, key=lambda row: (row.practice_id, row.patient_id, row.month))
    assert list(store.assessments()) == [row.body[:-1] + b',"stream_version":0}' for row in ordered]


def test_assessments_can_be_narrowed(store: Store) -> None:
    store.commit(
        batch(
            assessments=[
                assessment("pt1", "2025-03", "p1", "billable"),
                assessment("pt1", "2025-04", "p1", "accruing"),
                assessment("pt2", "2025-03", "p1", "accruing"),
                assessment("pt1", "2025-03", "p2", "accruing"),
            ]
        )
    )
    assert len(list(store.assessments(practice="p1"))) == 3
    assert len(list(store.assessments(patient="pt1"))) == 3
    assert len(list(store.assessments(month="2025-03", status="accruing"))) == 2
    assert len(list(store.assessments("p1", "pt1", "2025-03", "billable"))) == 1
    assert list(store.assessments(practice="p%")) == []


def test_a_store_can_be_written_while_assessments_are_read(store: Store) -> None:
    """The reader keeps the answer it began with."""
    store.commit(batch(assessments=[assessment(f"pt{n}") for n in range(5)]))
    reading = store.assessments()
    next(reading)
    store.commit(batch(assessments=[assessment("pt9")]))
    assert len(list(reading)) == 4
    assert len(list(store.assessments())) == 6


@pytest.mark.parametrize("value", [None, b"", b"\x00\xff\xfe{", bytes(range(256)) * 4096])
def test_dead_letters_keep_bytes_exactly(store: Store, value: bytes | None) -> None:
    kept = replace(
        letter(value),
        key=None if value is None else value[:300],
        headers=(("ce_id", b"\x00\xff"), ("ce_id", b""), ("\udcff\udc00odd", b"x"), ("", b"\xc3")),
        replayed_at_us=None,
    )
    store.commit(batch(dead_letters=[kept]))
    store.add_dead_letters([kept, letter()])
    first, second, third = store.dead_letters()
    assert first == replace(kept, id=1)
    assert second == replace(kept, id=2)
    assert (third.id, third.key) == (3, None)
    assert store.dead_letters(after=2) == [third]
    assert store.dead_letters(limit=1) == [first]


def test_texts_that_no_database_holds_lose_only_the_characters_at_fault(store: Store) -> None:
    store.add_dead_letters([replace(letter(), field="data.\0\ud800x", origin="file:\udcff:1")])
    (kept,) = store.dead_letters()
    assert (kept.field, kept.origin) == ("data.\ufffd\ufffdx", "file:\ufffd:1")


def test_a_dead_letter_is_marked_replayed_with_the_batch_that_takes_it(store: Store) -> None:
    """Also by a batch that holds nothing else; the first time stays, and ids unknown do nothing."""
    store.add_dead_letters([letter(), letter(), letter()])
    store.commit(batch(event(1), replayed={2: 99}))
    store.commit(batch(replayed={1: 100, 2: 101, 7: 102}))
    assert [dead.replayed_at_us for dead in store.dead_letters()] == [100, 99, None]
    assert store.dead_letters()[1] == replace(letter(), id=2, replayed_at_us=99)


def test_a_batch_that_is_refused_leaves_its_dead_letters_waiting(store: Store) -> None:
    """Neither lost nor marked: the event of the letter is not in the log either."""
    store.add_dead_letters([letter()])
    store.commit(batch(event(1)))
    with pytest.raises(StreamMoved):
        store.commit(batch(event(1, id="other"), replayed={1: 99}))
    assert [dead.replayed_at_us for dead in store.dead_letters()] == [None]


def test_a_sinks_ledger_never_goes_back(store: Store) -> None:
    store.set_delivered("webhook", 5)
    store.set_delivered("webhook", 3)
    store.set_delivered("kafka", 1)
    assert (store.delivered("webhook"), store.delivered("kafka")) == (5, 1)


@pytest.mark.parametrize("practice", ["p/1", "p%2F1", "Ünï", "診療所", "\U0001f600", "a b'\"\\"])
def test_ids_of_any_script_come_back_as_they_were(store: Store, practice: str) -> None:
    patient = f"{practice}/..%/patient"
    store.commit(
        batch(
            event(1, patient, practice=practice),
            assessments=[assessment(patient, practice=practice)],
        )
    )
    (stored,) = store.log(0, 10)
    assert codec.split_stream_id(stored.stream_id) == (practice, patient)
    assert store.versions() == {stored.stream_id: 1}
    assert len(list(store.assessments(practice, patient))) == 1
