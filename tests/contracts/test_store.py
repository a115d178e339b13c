"""What every store promises, whatever lies under it."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier, Event, Thread

import pytest

from infra import codec
from infra.eventstore import open_store
from projections.ports import (
    Batch,
    KeysTaken,
    PositionPassed,
    Snapshot,
    Store,
    StreamMoved,
)
from tests.contracts.made import (
    assessment,
    batch,
    contents,
    event,
    letter,
    snapshot,
    stream,
    transition,
)


def test_a_batch_becomes_visible_whole(store: Store) -> None:
    """Events, versions, assessments, transitions, dead letters and position come together."""
    store.commit(
        batch(
            event(1),
            event(2),
            assessments=[assessment()],
            transitions=[transition(1)],
            dead_letters=[letter()],
            tracking={"feed/0": 7},
        )
    )
    assert [(e.stream_id, e.version, e.position) for e in store.log(0, 10)] == [
        ("p1/pt1", 1, 1),
        ("p1/pt1", 2, 2),
    ]
    assert store.log(0, 10)[0] == event(1)._replace(position=1)
    assert store.versions() == {"p1/pt1": 2}
    assert len(list(store.assessments())) == 1
    assert [t.position for t in store.transitions(0, 10)] == [1]
    assert [dead.id for dead in store.dead_letters()] == [1]
    assert store.tracking("feed/0") == 7
    assert store.counts() == {
        "patients": 1,
        "events": 2,
        "assessments": 1,
        "transitions": 1,
        "dead_letters": 1,
    }


def test_an_empty_store_answers_empty(store: Store) -> None:
    assert store.log(0, 10) == []
    assert store.head() == 0
    assert store.tracking("feed/0") is None
    assert store.delivered("webhook") == 0
    assert list(store.assessments()) == []
    unknown = store.load(["p1/nobody"])["p1/nobody"]
    assert (unknown.snapshot, unknown.events, unknown.alerts) == (None, [], [])
    assert set(store.counts().values()) == {0}


def full(*events: object, **parts: object) -> Batch:
    """A batch that would change every part of the store."""
    given = {
        "assessments": [assessment(month="2025-04")],
        "removed_months": [(stream(), "2025-03")],
        "transitions": [transition(2)],
        "dead_letters": [letter()],
        "snapshots": [snapshot(3)],
        "tracking": {"feed/0": 9, "feed/1": 1},
    }
    return batch(*events, **(given | parts))  # type: ignore[arg-type]


REFUSED = {
    "stream version taken": (full(event(2, id="new"), event(3)), StreamMoved),
    "stream version taken, last of many": (full(event(3), event(1, id="x")), StreamMoved),
    "key taken": (full(event(1, "pt2"), event(2, "pt2", id="pt1-1")), KeysTaken),
    "key twice in the batch": (full(event(1, "pt2", "n"), event(1, "pt3", "n")), KeysTaken),
    "version twice in the batch": (full(event(3), event(3, id="n")), StreamMoved),
    "position repeated": (full(event(3), tracking={"feed/0": 7}), PositionPassed),
    "position passed": (full(event(3), tracking={"feed/1": 3, "feed/0": 6}), PositionPassed),
    "assessed too early": (full(versions={stream(): 1}), StreamMoved),
    "transition decided before": (full(event(3), transitions=[transition(1)]), StreamMoved),
}


@pytest.mark.parametrize("refused", REFUSED)
def test_a_refused_batch_writes_nothing_at_all(store: Store, refused: str) -> None:
    """Part by part the store answers as if the batch had never been."""
    store.commit(
        batch(
            event(1),
            event(2),
            assessments=[assessment()],
            transitions=[transition(1)],
            tracking={"feed/0": 7},
        )
    )
    before = contents(store)
    bad, error = REFUSED[refused]
    with pytest.raises(error):
        store.commit(bad)
    assert contents(store) == before


def test_an_outage_in_the_middle_of_a_batch_writes_nothing_at_all(durable_url: str) -> None:
    """A value that the database itself refuses, in the last table, undoes all before it."""
    store = open_store(durable_url)
    store.commit(batch(event(1)))
    before = contents(store)
    bad = replace(letter(), received_at_us=None)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null") as caught:
        store.commit(full(event(2), dead_letters=[letter(), bad]))
    assert not isinstance(caught.value, StreamMoved | KeysTaken | PositionPassed)
    assert contents(store) == before
    store.close()


def test_taken_keys_name_the_stream_that_holds_them(store: Store) -> None:
    store.commit(batch(event(1, "pt1", "a"), event(1, "pt2", "b")))
    with pytest.raises(KeysTaken) as caught:
        store.commit(batch(event(1, "pt3", "a"), event(2, "pt3", "b"), event(3, "pt3", "c")))
    assert caught.value.taken == {
        codec.event_key("urn:test:ehr", "a"): "p1/pt1",
        codec.event_key("urn:test:ehr", "b"): "p1/pt2",
    }


def test_a_key_given_twice_in_one_batch_names_the_first_stream(store: Store) -> None:
    with pytest.raises(KeysTaken) as caught:
        store.commit(batch(event(1, "pt1", "a"), event(1, "pt2", "a")))
    assert caught.value.taken == {codec.event_key("urn:test:ehr", "a"): "p1/pt1"}


def test_a_repeated_batch_says_position_passed_before_anything_else(store: Store) -> None:
    """A redelivery is told as one, not as a conflict of writers."""
    redelivered = full(event(1))
    store.commit(redelivered)
    with pytest.raises(PositionPassed):
        store.commit(redelivered)


def test_feeds_are_tracked_apart_and_from_position_zero(store: Store) -> None:
    store.commit(batch(tracking={"feed/0": 0}))
    store.commit(batch(tracking={"feed/1": 5}))
    assert (store.tracking("feed/0"), store.tracking("feed/1")) == (0, 5)
    with pytest.raises(PositionPassed):
        store.commit(batch(tracking={"feed/0": 0}))


def test_a_stream_comes_back_in_order_of_version(store: Store) -> None:
    store.commit(batch(event(2), event(1), event(1, "pt2")))
    store.commit(batch(event(3)))
    loaded = store.load(["p1/pt1", "p1/pt2"])
    assert [e.version for e in loaded["p1/pt1"].events] == [1, 2, 3]
    assert [e.position for e in store.log(0, 10)] == [1, 2, 3, 4]
    assert [e.position for e in store.log(2, 1)] == [3]
    assert store.head() == 4


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


def test_a_batch_of_five_thousand_events_is_one_batch(store: Store) -> None:
    events = [event(n // 100 + 1, f"pt{n % 100}") for n in range(5000)]
    store.commit(batch(*events, tracking={"feed/0": 4999}))
    assert store.head() == 5000
    log = store.log(0, 10_000)
    assert [e.position for e in log] == list(range(1, 5001))
    assert {e.key for e in log} == {e.key for e in events}
    streams = store.load([stream(f"pt{n}") for n in range(100)])
    assert {len(s.events) for s in streams.values()} == {50}
    taken = event(51, "pt0")._replace(key=events[4999].key)
    with pytest.raises(KeysTaken):
        store.commit(batch(*(event(51, f"pt{n}") for n in range(1, 100)), taken))


def test_versions_and_histories_of_thousands_can_be_asked_at_once(store: Store) -> None:
    store.commit(batch(*(event(1, f"pt{n}") for n in range(3000))))
    asked = [stream(f"pt{n}") for n in range(0, 6000, 2)]
    assert len(store.versions(asked)) == 1500
    assert len(store.versions()) == 3000
    loaded = store.load(asked)
    assert sum(len(s.events) for s in loaded.values()) == 1500
    assert len(loaded) == 3000


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


def test_of_two_writers_to_one_stream_one_wins(store: Store) -> None:
    """The other is told that the stream moved, and none of its batch is there."""
    barrier = Barrier(4)
    outcomes: list[str] = []

    def write(writer: int) -> None:
        barrier.wait()
        for version in range(1, 21):
            mine = event(version, id=f"{writer}-{version}")
            other = event(version, f"own{writer}")
            try:
                store.commit(batch(mine, other))
                outcomes.append("won")
            except StreamMoved:
                outcomes.append("moved")
                barrier_versions = store.versions([mine.stream_id])
                assert barrier_versions[mine.stream_id] >= version

    threads = [Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log = store.log(0, 1000)
    assert outcomes.count("won") * 2 == len(log)
    assert len(outcomes) == 80
    shared = [e for e in log if e.stream_id == stream()]
    assert sorted(e.version for e in shared) == list(range(1, len(shared) + 1))
    assert len(shared) == 20


def test_readers_never_see_half_a_batch(store: Store) -> None:
    """While two writers write, log, assessments, versions and counts agree at every look."""
    stop, faults = Event(), list[str]()

    def write(writer: int) -> None:
        for version in range(1, 31):
            patients = [f"w{writer}-{n}" for n in range(10)]
            rows = [assessment(p, status=str(version)) for p in patients]
            store.commit(batch(*(event(version, p) for p in patients), assessments=rows))

    def read() -> None:
        while not stop.is_set():
            if len(store.log(0, 10_000)) % 10:
                faults.append("log")
            seen = [body.split(b'"status":"')[1] for body in store.assessments()]
            if any(seen.count(one) % 10 for one in set(seen)):
                faults.append("assessments")
            if any(one.split(b'"')[0] != one.split(b":")[1][:-1] for one in seen):
                faults.append("assessment beside its version")
            if store.counts()["events"] % 10:
                faults.append("counts")

    readers = [Thread(target=read) for _ in range(2)]
    writers = [Thread(target=write, args=(n,)) for n in range(2)]
    for thread in (*readers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in readers:
        thread.join()
    assert faults == []
    assert store.counts()["events"] == 600


def test_a_tailing_reader_misses_nothing(store: Store) -> None:
    """Positions follow each other without a gap in the order of commits, refusals included."""
    seen: list[int] = []
    done = Event()

    def tail() -> None:
        while not (done.is_set() and store.head() == len(seen)):
            store.wait(seen[-1] if seen else 0, 0.05)
            seen.extend(e.position for e in store.log(seen[-1] if seen else 0, 1000))

    def write(writer: int) -> None:
        for version in range(1, 31):
            store.commit(batch(*(event(version, f"w{writer}-{n}") for n in range(5))))
            with pytest.raises(StreamMoved):
                store.commit(batch(event(99, f"w{writer}-x{version}"), event(1, f"w{writer}-0")))

    reader = Thread(target=tail)
    writers = [Thread(target=write, args=(n,)) for n in range(3)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    done.set()
    reader.join()
    assert seen == list(range(1, 451))


def test_closing_twice_is_no_error(store: Store) -> None:
    store.close()
    store.close()
