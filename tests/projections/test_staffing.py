"""One performer at two patients at once, against every pair looked at."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from domain import facts as f
from domain.event import Event
from domain.patient import Patient, evolve
from projections.staffing import Booked, Rota, Staff, Stretch, entries_moved, stretches
from tests.given import clocked, enrolled, event, instant, unclocked, voided

RN: Staff = ("p1", "rn1")
LONG = 86_400


@st.composite
def crowded(draw: st.DrawFn) -> list[tuple[Staff, Stretch]]:
    """Stretches of few performers and patients that crowd and touch."""
    count = draw(st.integers(0, 25))
    found = {}
    for number in range(count):
        start = draw(st.integers(0, 40)) * 10
        end = start + draw(st.sampled_from((1, 5, 10, 30, 200, LONG)))
        stream = f"p1/pt{draw(st.integers(1, 4))}"
        staff = ("p1", f"rn{draw(st.integers(1, 2))}")
        month = draw(st.sampled_from(("2025-01", "2025-02")))
        found[number] = (staff, Stretch(start, end, stream, f"t{number}", month))
    return list(found.values())


def every_pair(all: list[tuple[Staff, Stretch]]) -> Counter[tuple[Staff, Booked]]:
    """Slow and obvious: for each unordered pair of one performer and two patients."""
    counted: Counter[tuple[Staff, Booked]] = Counter()
    for index, (staff, one) in enumerate(all):
        for other_staff, other in all[index + 1 :]:
            shared = min(one.end, other.end) - max(one.start, other.start)
            if staff == other_staff and one.stream_id != other.stream_id and shared > 0:
                counted[staff, one.booked] += 1
                counted[staff, other.booked] += 1
    return counted


def standing(rota: Rota) -> dict[tuple[Staff, Booked], int]:
    return {key: count for key, count in rota.overlaps.items() if count}


@given(crowded(), st.randoms(use_true_random=False))
def test_overlaps_are_those_of_every_pair_in_any_order(
    all: list[tuple[Staff, Stretch]], rng: object
) -> None:
    rota = Rota()
    shuffled = list(all)
    rng.shuffle(shuffled)  # type: ignore[attr-defined]
    for staff, stretch in shuffled:
        rota.add(staff, stretch)
    assert standing(rota) == every_pair(all)
    while shuffled:
        rota.remove(*shuffled.pop())
        assert standing(rota) == every_pair(shuffled)


def test_work_that_only_touches_does_not_overlap() -> None:
    rota = Rota()
    rota.add(RN, Stretch(0, 600, "p1/a", "t1", "2025-01"))
    assert rota.add(RN, Stretch(600, 900, "p1/b", "t2", "2025-01")) == []
    assert rota.add(RN, Stretch(599, 601, "p1/c", "t3", "2025-01"))
    assert standing(rota) == {
        (RN, ("p1/a", "2025-01")): 1,
        (RN, ("p1/b", "2025-01")): 1,
        (RN, ("p1/c", "2025-01")): 2,
    }


def test_a_patient_does_not_overlap_with_itself_nor_a_practice_with_another() -> None:
    rota = Rota()
    rota.add(RN, Stretch(0, 600, "p1/a", "t1", "2025-01"))
    rota.add(RN, Stretch(100, 600, "p1/a", "t2", "2025-01"))
    rota.add(("p2", "rn1"), Stretch(100, 600, "p2/b", "t3", "2025-01"))
    assert standing(rota) == {}


def folded(patient: Patient, events: list[Event]) -> set[tuple[Staff, Stretch]]:
    """What stands after these, counted by what each event moved."""
    stands: set[tuple[Staff, Stretch]] = set()
    for said in events:
        moved = entries_moved(patient, said)
        stands -= _of(patient, moved)
        evolve(patient, said)
        stands |= _of(patient, moved)
    return stands


def _of(patient: Patient, entries: set[str]) -> set[tuple[Staff, Stretch]]:
    return {
        found
        for entry in entries
        for found in stretches(patient, patient.entries.get(entry), "p1/pt1", "UTC")
    }


FIRST = clocked("t1", "2025-03-31T23:50:00-04:00", "2025-04-01T00:10:00-04:00")
SECOND = clocked("t2", "2025-03-05T10:00:00-05:00", "2025-03-05T10:20:00-05:00")
MOVES = [
    FIRST,
    SECOND,
    clocked("t2", "2025-03-06T10:00:00-05:00", "2025-03-06T10:20:00-05:00"),
    event(unclocked("t3", "2025-03-07", 600), "2025-03-07T17:00:00Z"),
    voided("t1", "2025-04-02T12:00:00Z"),
    enrolled("2025-01-01"),
    enrolled("2025-03-15", timezone="Pacific/Honolulu"),
    event(f.PatientDisenrolled(f.date(2025, 3, 20), "moved"), "2025-04-03T12:00:00Z"),
]
TAKEN_BACK = [
    event(f.EventRetracted(said.source, said.id, "entered in error"), f"2025-04-05T12:00:0{n}Z")
    for n, said in enumerate(MOVES)
]
AGAIN = [
    event(f.EventRetracted(said.source, said.id, "wrong retraction"), "2025-04-06T12:00:00Z")
    for said in TAKEN_BACK[:2]
]


@settings(max_examples=300)
@given(st.lists(st.sampled_from([*MOVES, *TAKEN_BACK, *AGAIN]), unique_by=lambda e: e.key))
def test_what_each_event_moves_is_all_it_changes(events: list[Event]) -> None:
    """Counted on, event by event, in any order: the same as what stands in the end."""
    patient = Patient("p1", "pt1")
    stands = folded(patient, events)
    assert stands == _of(patient, {entry.entry_id for entry in patient.entries})


def test_work_over_the_end_of_a_month_lies_in_both_by_the_patients_zone() -> None:
    patient = Patient("p1", "pt1")
    stands = folded(patient, [enrolled("2025-01-01"), FIRST])
    midnight = instant("2025-04-01T00:00:00-04:00")
    assert {(s.month, s.start, s.end) for _, s in stands} == {
        ("2025-03", midnight - 600, midnight),
        ("2025-04", midnight, midnight + 600),
    }
    assert {staff for staff, _ in stands} == {("p1", "cl")}


def test_an_amendment_to_unclocked_time_takes_the_stretch_away() -> None:
    patient = Patient("p1", "pt1")
    logged = unclocked("t2", "2025-03-05", 600)
    amended = f.TimeAmended(logged.entry_id, logged.performer, logged.activity, logged.work, "typo")
    said = event(amended, "2025-03-09T12:00:00Z")
    assert folded(patient, [SECOND, said]) == set()
