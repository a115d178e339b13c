"""A snapshot and the events after it are the whole history, byte for byte, or are not used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import facts as f
from domain.alerts import Transition
from domain.assess import assess, assessments
from domain.event import Event
from domain.explain import explain
from domain.facts import FACT_OF_TYPE
from domain.patient import Decision, Patient, decide, evolve, months_known, months_touched
from domain.policy import Policy
from domain.rules import BOOK
from infra import packing, snapshots
from infra.answers import assessment_json
from infra.archive_parts import hash_of_entry
from infra.codec import decode_event, link
from infra.packed_archive import PackedArchive
from infra.snapshots import DamagedSnapshot, is_due, restore, snapshot
from infra.specimen import SPECIMEN
from projections.live import LivePatient
from projections.ports import Snapshot, StoredEvent
from tests.given import PATIENT, PRACTICE, clocked, event, ready, staff, voided
from tests.infra.golden_events import FACTS
from tests.stored import stream
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

STREAM = f"{PRACTICE}/{PATIENT}"
NOW_US = 1_741_190_400_000_000


def link_of(stored: StoredEvent) -> bytes:
    return link(stored.stream_id, stored.version, stored.name, stored.state)


class Kept:
    """A patient that goes through snapshots, as the ingest keeps it."""

    def __init__(self, address: tuple[str, str], policy: Policy) -> None:
        self.live = LivePatient(Patient(*address))
        self.archive = PackedArchive.empty(address)
        self.policy = policy
        self.previous: bytes | None = None
        self.told: list[Transition] = []
        self.stored: dict[bytes, bytes | None] = {}

    def take(self, stored: Sequence[StoredEvent], live: bool = True) -> None:
        """Fold these; `live` decides alerts at every event, as ingest does."""
        for one in stored:
            said = decode_event(one)
            if live:
                _, changes = self.live.take(said, NOW_US, BOOK, self.policy)
                self.told += changes
            else:
                evolve(self.live.patient, said)
            self.previous = link_of(one)

    def snapshot(self, reload: bool) -> None:
        """Take a snapshot; go on with the same patient or with the one that is loaded from it."""
        assert self.previous is not None
        patient = self.live.patient
        taken, self.archive = snapshot(STREAM, patient, self.archive, self.previous, NOW_US)
        self.stored = {name: body or self.stored[name] for name, body in taken.parts.items()}
        if reload:
            taken = replace(taken, parts=self.stored)
            self.live.patient, self.archive, self.previous, at = restore(taken)
            assert at == NOW_US


def replies(patient: Patient, events: Sequence[Event]) -> list[Decision]:
    """What the patient says to events it has, to others under their ids, and to a new one."""
    others = [replace(one, digest=b"other") for one in events]
    return [decide(patient, one) for one in (*events, *others, replace(events[0], id="new"))]


def answers(patient: Patient, scene: Scene) -> list[object]:
    """Everything that anybody may ask of a patient."""
    months = sorted({*scene.months, *months_known(patient)})
    return [
        [assessment_json(one) for one in assessments(patient, BOOK, scene.policy)],
        [assessment_json(assess(patient, month, BOOK, scene.policy)) for month in months],
        [explain(patient, month, BOOK, scene.policy) for month in scene.months],
        sorted(patient.withdrawn),
    ]


@settings(
    max_examples=examples(250),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scenes(), st.data())
def test_a_snapshot_and_the_rest_are_the_whole_history(scene: Scene, data: st.DataObject) -> None:
    """Wherever it is cut, and however often: equal answers, alerts, decisions and links."""
    log = stream(scene.events)
    if not log:
        return
    whole = Kept((PRACTICE, PATIENT), scene.policy)
    cut = Kept((PRACTICE, PATIENT), scene.policy)
    at = 0
    for end in [*sorted(data.draw(st.sets(st.integers(1, len(log)), max_size=5))), len(log)]:
        live = data.draw(st.booleans())
        whole.take(log[at:end], live)
        cut.take(log[at:end], live)
        at = end
        cut.snapshot(reload=data.draw(st.booleans()))
    assert cut.told == whole.told
    assert cut.previous == whole.previous
    assert cut.live.patient.version == whole.live.patient.version
    events = [decode_event(one) for one in log]
    if data.draw(st.booleans()):  # what is asked first must not matter to what comes after
        assert replies(cut.live.patient, events) == replies(whole.live.patient, events)
    for one in events:
        assert months_touched(cut.live.patient, one) == months_touched(whole.live.patient, one)
    assert answers(cut.live.patient, scene) == answers(whole.live.patient, scene)
    assert replies(cut.live.patient, events) == replies(whole.live.patient, events)
    assert cut.live.patient.events == whole.live.patient.events


def taken(events: Sequence[Event]) -> Snapshot:
    """The snapshot of a patient with these events."""
    log = stream(events)
    patient = Patient(PRACTICE, PATIENT)
    for stored in log:
        evolve(patient, decode_event(stored))
    empty = PackedArchive.empty((PRACTICE, PATIENT))
    return snapshot(STREAM, patient, empty, link_of(log[-1]), NOW_US)[0]


YEAR = [*ready("2024-01"), *(staff(f"t{n}", f"2024-{n:02d}-15", 1200) for n in range(1, 13))]


def test_a_fact_of_every_type_comes_back_as_it_was() -> None:
    events = [event(fact, "2025-03-31T12:00:00Z", id=name) for name, fact in FACTS.items()]
    patient = restore(taken(events)).patient
    patient.entries.get("t1")
    whole = {one.key: one for one in map(decode_event, stream(events))}
    assert set(FACTS) == set(FACT_OF_TYPE)
    assert patient.events == whole


def test_a_month_that_nobody_asks_for_stays_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loading unpacks nothing; one month unpacks what may touch it and no more."""
    kept = taken(YEAR)
    unpacked: list[int] = []
    decode = packing._decode_rows

    def counted(rows: bytes) -> object:
        found = decode(rows)
        unpacked.append(len(found))
        return found

    monkeypatch.setattr(packing, "_decode_rows", counted)
    patient = restore(kept).patient
    new = staff("t99", "2024-07-20", 600)
    assert decide(patient, new) == decide(Patient(PRACTICE, PATIENT), new)
    evolve(patient, new)
    assert unpacked == []
    assert assess(patient, "2024-07", BOOK, Policy()).seconds.logged == 1800
    assert unpacked == [1]
    assert months_known(patient) == {f"2024-{n:02d}" for n in range(1, 13)}


def test_ids_of_one_hash_are_told_apart() -> None:
    """These two have the same CRC-32: looking in the wrong bundle costs time, not truth."""
    assert hash_of_entry("plumless") == hash_of_entry("buckeroo")
    july, august = staff("plumless", "2024-07-15", 60), staff("t1", "2024-08-15", 60)
    patient = restore(taken([july, august])).patient
    evolve(patient, staff("buckeroo", "2024-07-16", 30))
    assert assess(patient, "2024-07", BOOK, Policy()).seconds.logged == 90
    both = restore(taken([july, staff("buckeroo", "2024-08-15", 60)])).patient
    evolve(both, voided("buckeroo", "2024-09-01T12:00:00Z"))
    logged = [assess(both, month, BOOK, Policy()).seconds.logged for month in months_known(both)]
    assert sorted(logged) == [0, 60]


def test_a_void_before_its_entry_waits_in_the_archive() -> None:
    patient = restore(taken([voided("t1", "2025-04-01T12:00:00Z")])).patient
    evolve(patient, staff("t1", "2025-03-05", 1200))
    assert assess(patient, "2025-03", BOOK, Policy()).seconds.logged == 0


def test_an_entry_that_may_touch_two_months_is_found_from_both() -> None:
    late = clocked("t1", "2025-02-01T01:30:00Z", "2025-02-01T01:50:00Z")
    for month in ("2025-01", "2025-02"):
        patient = restore(taken([late])).patient
        assert "t1" in patient.entries.in_month(month)


class TestDamage:
    @pytest.mark.parametrize("at", [0, 15, 16, 17, 40, 200, -300, -1])
    def test_any_changed_byte_is_found(self, at: int) -> None:
        kept = taken(YEAR)
        state = bytearray(kept.state)
        state[at] ^= 1
        with pytest.raises(DamagedSnapshot, match="version 18"):
            restore(replace(kept, state=bytes(state)))

    @pytest.mark.parametrize("length", [0, 5, 16, 100, -1])
    def test_a_torn_one_is_found(self, length: int) -> None:
        kept = taken(YEAR)
        with pytest.raises(DamagedSnapshot):
            restore(replace(kept, state=kept.state[:length]))

    @pytest.mark.parametrize(
        "other", [{"stream_id": "p1/pt2"}, {"version": 17}, {"form": "sha256:00"}]
    )
    def test_one_that_lies_in_the_place_of_another_is_found(self, other: dict[str, object]) -> None:
        with pytest.raises(DamagedSnapshot):
            restore(replace(taken(YEAR), **other))  # type: ignore[arg-type]

    def test_a_fact_that_is_no_longer_known_is_found(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Should the revision have been forgotten: better folded anew than stuck."""
        kept = taken(YEAR)
        monkeypatch.delitem(packing._FACT_DECODER, "visit.recorded.v1")
        with pytest.raises(DamagedSnapshot, match="no longer read"):
            restore(kept)

    def test_nothing_of_the_patient_is_said(self) -> None:
        with pytest.raises(DamagedSnapshot) as caught:
            restore(replace(taken(YEAR), state=b""))
        assert PATIENT not in str(caught.value)


class TestForm:
    """The rules of a snapshot's making are known by what they make of the specimen."""

    def test_the_specimen_has_every_type(self) -> None:
        assert {name for name, _ in SPECIMEN} == set(FACT_OF_TYPE)

    def test_it_is_the_same_each_time(self) -> None:
        assert snapshots._form() == snapshots.FORM

    def test_it_changes_with_the_fold(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Here: an entry is put into other months."""
        monkeypatch.setattr("domain.entries._months_of", lambda *_: frozenset({"2025-01"}))
        assert snapshots._form() != snapshots.FORM

    def test_it_changes_with_the_packing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(packing, "_time_row", lambda event, _: (event.source, event.id))
        assert snapshots._form() != snapshots.FORM

    def test_it_changes_with_the_shape_of_a_fact(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Here: a stored consent is read as another one, as an upcaster might."""
        decode = decode_event

        def read(stored: StoredEvent) -> Event:
            said = decode(stored)
            if isinstance(said.fact, f.ConsentRecorded):
                fact = replace(said.fact, consented_on=said.fact.consented_on + timedelta(1))
                return replace(said, fact=fact)
            return said

        monkeypatch.setattr(snapshots, "decode_event", read)
        assert snapshots._form() != snapshots.FORM

    def test_it_changes_with_its_revision(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(snapshots, "REVISION", snapshots.REVISION + 1)
        assert snapshots._form() != snapshots.FORM

    def test_it_does_not_change_with_the_compression(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Another machine's zlib may choose other bytes for the same rows."""
        monkeypatch.setattr(packing, "_FASTEST", 9)
        assert snapshots._form() == snapshots.FORM


@pytest.mark.parametrize(
    ("version", "last", "due"),
    [
        (255, 0, False),
        (256, 0, True),
        (511, 256, False),
        (512, 256, True),
        (20_255, 20_000, False),
        (20_256, 20_000, True),
    ],
)
def test_a_snapshot_is_due_when_a_history_has_grown(version: int, last: int, due: bool) -> None:
    assert is_due(version, last) is due


def test_a_snapshot_is_a_fraction_of_its_history() -> None:
    day = date(2024, 1, 1)
    events = [staff(f"entry-{n}", day + timedelta(n // 10), 60 + n) for n in range(2000)]
    kept = taken(events)
    size = len(kept.state) + sum(len(body or b"") for body in kept.parts.values())
    assert size < sum(len(one.state) for one in stream(events)) / 4
