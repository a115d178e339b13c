"""Whatever is done to the stored log behind the store's back is found and named."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.eventstore import open_store
from infra.eventstore.accesses import AccessLog
from infra.eventstore.transparency import LogTree, open_transaction
from infra.transparency import Signer, is_consistent, root_hash
from projections.ports import Store, StoredEvent
from services.audit.faults import FaultKind, Findings
from services.audit.notary import Notary
from services.audit.sealing import Sealed, SealRefused, seal
from services.audit.verifying import NamedNote, verify_log, verify_stream
from tests.postgres import postgres_server, postgres_url
from tests.services.test_ingest import chart, ingest_into, logged, take

__all__ = ["postgres_server", "postgres_url"]

SIGNER = Signer.new("clinic.example/log")
NOTARY = Notary([SIGNER.verifier])
PATIENTS = ("pt1", "pt2")
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def log(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Two patients with eight events each, mixed, in two batches."""
    if request.param == "postgres":
        store = open_store(request.getfixturevalue("postgres_url"))
    else:
        store = open_store(f"sqlite:///{tmp_path}/care.db")
    yield filled(store)
    store.close()


def filled(store: Store) -> Store:
    ingest = ingest_into(store)
    for entry in ("t1", "t2"):
        begin = chart if entry == "t1" else lambda _: []
        lines = [line for p in PATIENTS for line in (*begin(p), logged(entry, 1300, p))]
        take(ingest, lines)
    return store


def sealed(store: Store) -> Sealed:
    return seal(store, SIGNER, lambda: 1_742_000_001_000_000)


def verified(store: Store, *outside: NamedNote) -> Findings:
    return verify_log(store, NOTARY, outside)


class Vandal:
    """Writes past the store, as an owner of the database can."""

    def __init__(self, store: Store) -> None:
        self._transaction, self._mark = open_transaction(store)
        self.place = "position" if self._mark == "?" else "notification_id"

    def __call__(self, statement: str, *values: Any) -> None:
        statement = statement.replace("PLACE", self.place)
        with self._transaction(True) as c:
            c.execute(statement.replace("?", self._mark), values)

    def set(self, event: StoredEvent, **columns: Any) -> None:
        for column, value in columns.items():
            text = self._mark == "?" and column in ("topic", "originator_id")
            mark = "CAST(? AS TEXT)" if text and isinstance(value, bytes) else "?"
            statement = f"UPDATE stored_events SET {column} = {mark} WHERE PLACE = ?"
            self(statement, value, event.position)


def named(findings: Findings) -> set[int]:
    return {fault.position for fault in findings}


def test_an_untouched_log_has_no_fault(log: Store) -> None:
    """With a checkpoint over all of it, over a part, and without any."""
    assert not verified(log).faults
    first = sealed(log)
    assert (first.checkpoint.size, first.is_new) == (16, True)
    found = verified(log)
    assert (found.events, found.patients, found.checkpoints, found.faults) == (16, 2, 1, [])
    take(ingest_into(log), [logged("t3", 60, "pt3")])
    assert not verified(log).faults
    assert sealed(log).checkpoint.size == 17
    assert not verified(log).faults


@pytest.mark.parametrize("is_sealed", [True, False])
def test_any_single_byte_of_any_event_that_is_flipped_is_found_and_named(is_sealed: bool) -> None:
    """Every byte of every column of a stream's first and last events, sealed or not."""
    store = filled(open_store("sqlite:///:memory:"))
    if is_sealed:
        sealed(store)
    vandal, rng = Vandal(store), random.Random(1)
    for event in (e for e in store.log(0, 100) if e.version in (1, 7, 8)):
        stream, topic = event.stream_id.encode(), event.name.encode()
        columns = {"state": event.state, "event_key": event.key}
        for column, stored in (columns | {"originator_id": stream, "topic": topic}).items():
            for at in range(len(stored)):
                flipped = bytearray(stored)
                flipped[at] ^= 1 << rng.randrange(8)
                vandal.set(event, **{column: bytes(flipped)})
                assert event.position in named(verified(store)), (event.position, column, at)
            vandal.set(event, **{column: stored})
    assert not verified(store).faults
    store.close()


def test_a_flipped_byte_is_found_on_both_databases(log: Store) -> None:
    vandal, rng = Vandal(log), random.Random(2)
    sealed(log)
    for event in log.log(0, 100):
        flipped = bytearray(event.state)
        flipped[rng.randrange(len(flipped))] ^= 1
        vandal.set(event, state=bytes(flipped))
        found = verified(log)
        where = {(f.stream_id, f.version, f.position) for f in found if f.position}
        assert (event.stream_id, event.version, event.position) in where
        only = verify_stream(log, NOTARY, event.stream_id)
        assert event.position in named(only)
        vandal.set(event, state=event.state)
    assert not verified(log).faults


def test_a_changed_version_is_named(log: Store) -> None:
    vandal = Vandal(log)
    sealed(log)
    event = next(e for e in log.log(0, 100) if e.version == 8)
    vandal.set(event, originator_version=9)
    assert event.position in named(verified(log))


@pytest.mark.parametrize("is_sealed", [True, False])
def test_a_deleted_event_is_named_wherever_it_stood(log: Store, is_sealed: bool) -> None:
    """First, middle and last of a stream, and the last of the log."""
    if is_sealed:
        sealed(log)
    vandal = Vandal(log)
    for event in log.log(0, 100):
        columns = "originator_id, originator_version, topic, state, event_key, PLACE"
        vandal("DELETE FROM stored_events WHERE PLACE = ?", event.position)
        found = verified(log)
        assert event.position in named(found) or event.position == 16
        assert (event.stream_id, event.version) in {(f.stream_id, f.version) for f in found}
        vandal(
            f"INSERT INTO stored_events ({columns}) VALUES (?,?,?,?,?,?)",
            *(event.stream_id, event.version, event.name, event.state, event.key, event.position),
        )
    assert not verified(log).faults


@pytest.mark.parametrize("is_sealed", [True, False])
def test_two_swapped_events_are_both_named(log: Store, is_sealed: bool) -> None:
    """Of one patient and of two: their content, and their places in the log."""
    if is_sealed:
        sealed(log)
    vandal, events = Vandal(log), log.log(0, 100)
    by_stream = [[e for e in events if e.stream_id == f"p1/{p}"] for p in PATIENTS]
    for one, other in (by_stream[0][2:4], by_stream[0][6:8], (by_stream[0][7], by_stream[1][7])):
        vandal.set(one, state=other.state)
        vandal.set(other, state=one.state)
        assert {one.position, other.position} <= named(verified(log))
        vandal.set(one, state=one.state)
        vandal.set(other, state=other.state)
    if is_sealed:
        one, other = by_stream[0][7], by_stream[1][7]
        swap_places(vandal, one, other)
        assert {one.position, other.position} <= named(verified(log))
        swap_places(vandal, one, other)
    assert not verified(log).faults


def swap_places(vandal: Vandal, one: StoredEvent, other: StoredEvent) -> None:
    for old, new in ((one.position, 0), (other.position, one.position), (0, other.position)):
        vandal("UPDATE stored_events SET PLACE = ? WHERE PLACE = ?", new, old)


def test_a_log_that_was_rolled_back_is_found_though_everything_in_it_agrees(log: Store) -> None:
    """A backup put back: patients, tree and checkpoints are of the earlier time. What was handed
    out tells."""
    handed_out = NamedNote("handed out", sealed(log).note)
    vandal = Vandal(log)
    last = [event for event in log.log(0, 100) if event.version == 8]
    vandal("DELETE FROM stored_events WHERE originator_version = 8")
    vandal("UPDATE patients SET version = 7, head = NULL")
    found = verified(log)
    assert FaultKind.CUT_OFF in {fault.kind for fault in found}
    assert {event.position for event in last} & named(found)
    vandal("DELETE FROM checkpoints")
    vandal("DELETE FROM log_tiles")
    assert not verified(log).faults
    found = verified(log, handed_out)
    assert [(f.kind, f.position) for f in found] == [(FaultKind.CUT_OFF, 15)]
    assert "handed out" in found.faults[0].sentence
    vandal("UPDATE stored_events SET PLACE = 40 WHERE PLACE = 14")
    with pytest.raises(SealRefused, match="missing"):
        sealed(log)


def test_a_whole_history_that_was_rewritten_with_all_its_hashes_is_found(log: Store) -> None:
    """Another log, whole in itself, in the place of the sealed one: the checkpoint tells."""
    handed_out = NamedNote("handed out", sealed(log).note)
    forged = open_store("sqlite:///:memory:")
    take(ingest_into(forged), [logged(f"t{n}", 7, "pt1") for n in range(16)])
    assert not verified(forged).faults
    found = verified(forged, handed_out)
    assert [fault.kind for fault in found] == [FaultKind.CHECKPOINT]
    assert "another root hash" in found.faults[0].sentence
    forged.close()


def test_no_checkpoint_is_made_of_a_log_that_its_last_one_does_not_know(log: Store) -> None:
    sealed(log)
    Vandal(log)("DELETE FROM log_tiles")
    vandal_event = log.log(0, 1)[0]
    Vandal(log).set(vandal_event, state=vandal_event.state.replace(b"p", b"q", 1))
    take(ingest_into(log), [logged("t9", 60, "pt9")])
    with pytest.raises(SealRefused, match="not that of the last checkpoint"):
        sealed(log)


def test_a_forged_checkpoint_is_not_believed(log: Store) -> None:
    forger = Signer.new(SIGNER.name)
    note = forger.sign(sealed(log).checkpoint.text())
    found = verified(log, NamedNote("letter", note))
    assert [(f.kind, f.sentence.partition(":")[0]) for f in found] == [
        (FaultKind.CHECKPOINT, "letter")
    ]


def test_a_damaged_kept_hash_is_told_from_a_changed_event(log: Store) -> None:
    """The checkpoint's root decides which of the two is right."""
    sealed(log)
    vandal = Vandal(log)
    tile = b"".join(LogTree(log).leaves(0, 16))
    vandal("UPDATE log_tiles SET hashes = ?", tile[:64] + b"x" * 32 + tile[96:])
    assert [(f.kind, f.position) for f in verified(log)] == [(FaultKind.TREE, 3)]


def test_checkpoints_are_new_only_where_something_is_and_consistent(log: Store) -> None:
    first = sealed(log)
    again = sealed(log)
    assert (again.number, again.note, again.is_new) == (first.number, first.note, False)
    take(ingest_into(log), [logged("t9", 60, "pt9")])
    second = sealed(log)
    assert (second.number, second.is_new) == (2, True)
    from services.audit.proving import consistency

    proof = consistency(log, first.checkpoint.size, second.checkpoint.size)
    assert is_consistent(
        first.checkpoint.size,
        first.checkpoint.root,
        second.checkpoint.size,
        second.checkpoint.root,
        proof.path,
    )


def test_a_tree_grows_over_many_tiles_as_over_few(log: Store) -> None:
    """Whatever the pages by which leaves are appended, roots are those of a list."""
    tree = LogTree(log)
    rng = random.Random(3)
    leaves = [rng.randbytes(32) for _ in range(70_000)]
    while (size := tree.size()) < len(leaves):
        tree.extend(size, leaves[size : size + rng.choice([1, 255, 256, 257, 20_000])])
    tree.extend(10, leaves[10:300])  # another process was slower

    from infra.transparency.merkle import fold_complete

    def listed(level: int, index: int) -> bytes:
        return fold_complete(leaves[index << level : (index + 1) << level])

    for size in (1, 255, 256, 257, 65_535, 65_536, 65_537, 70_000):
        assert root_hash(size, tree.subtrees()) == root_hash(size, listed)
    assert tree.leaves(300, 600) == leaves[300:900]
    with pytest.raises(LookupError):
        root_hash(70_001, tree.subtrees())


def access(log: Store, times: int) -> None:
    for n in range(times):
        AccessLog(log).append(lambda number, n=n: b'{"number":%d,"n":%d}' % (number, n))


def test_the_access_log_can_only_be_appended_to(log: Store) -> None:
    access(log, 3)
    for statement in ("UPDATE accesses SET body = ?", "DELETE FROM accesses WHERE body <> ?"):
        with pytest.raises(Exception, match="only appended to"):
            Vandal(log)(statement, b"{}")
    assert AccessLog(log).end().size == 3


@pytest.mark.parametrize(
    "harm",
    [
        lambda v: v("UPDATE accesses SET body = ? WHERE number = 2", b"{}"),
        lambda v: v("UPDATE accesses SET hash = ? WHERE number = 2", b"x" * 32),
        lambda v: v("DELETE FROM accesses WHERE number = 1"),
        lambda v: v("DELETE FROM accesses WHERE number = 3"),
        lambda v: v("DELETE FROM accesses"),
    ],
)
def test_an_access_that_was_changed_or_taken_away_past_the_triggers_is_found(
    log: Store, harm: Callable[[Vandal], None]
) -> None:
    access(log, 3)
    sealed(log)
    assert not verified(log).faults
    vandal = Vandal(log)
    if vandal.place == "position":
        vandal("DROP TRIGGER accesses_are_not_changed")
        vandal("DROP TRIGGER accesses_are_not_deleted")
    else:
        vandal("DROP TRIGGER accesses_append_only ON accesses")
    harm(vandal)
    assert {fault.kind for fault in verified(log)} == {FaultKind.ACCESS_LOG}


def test_faults_beyond_the_limit_are_counted(monkeypatch: pytest.MonkeyPatch, log: Store) -> None:
    monkeypatch.setattr("services.audit.faults.FAULTS_MAX", 2)
    sealed(log)
    for event in log.log(0, 5):
        Vandal(log).set(event, state=b"{}")
    found = verified(log)
    assert len(found.faults) == 2
    assert found.count > 5


def test_an_event_in_another_stream_is_no_leaf_of_the_same_hash() -> None:
    """Lengths keep names and content apart."""
    from infra.transparency import event_leaf

    event = StoredEvent("p1/pt1", 1, "n", b"state", b"k" * 16, 1)
    assert event_leaf(event) != event_leaf(event._replace(stream_id="p1/pt", name="1n"))
    assert event_leaf(event) != event_leaf(event._replace(name="nk", key=b"k" * 15))
