"""A row against what was taken of it before: repeated, grown, changed, left out, moved."""

from __future__ import annotations

from itertools import permutations

import pytest

from projections.ports import Store
from tests.rows.made import CHANGED, Kept, mapping, rows

FIRST, LATER = "2025-04-01T08:00:00-04:00", "2025-04-02T08:00:00-04:00"


def test_a_row_becomes_one_entry_with_an_id_that_is_the_row_s(rows_store: Store) -> None:
    kept = Kept(rows_store)
    outcome = kept.row()
    assert (outcome.accepted, outcome.dead_lettered) == (1, 0)
    ((name, id, data),) = kept.events()
    assert (name, data["entry_id"]) == ("time.logged.v1", "timer/7")
    assert id.startswith("timer/7/")
    assert data == {
        "entry_id": "timer/7",
        "performer": {"id": "Ann", "role": "clinical_staff"},
        "activity": "call",
        "performed_on": "2025-03-05",
        "seconds": 600,
    }


def test_the_same_row_again_has_no_effect_in_whatever_sheet_it_comes(rows_store: Store) -> None:
    kept = Kept(rows_store)
    kept.row()
    for file, exported in (("f", ""), ("g", ""), ("g", FIRST), ("h", LATER)):
        outcome = kept.row(file, exported, line=9)
        assert (outcome.accepted, outcome.dead_lettered, outcome.ignored.total()) == (0, 0, 1)
    assert len(kept.events()) == 1


def test_a_row_that_says_when_it_was_written_is_amended_by_a_later_one(rows_store: Store) -> None:
    kept = Kept(rows_store, mapping(rows(**CHANGED)))
    kept.row()
    kept.row(Minutes="12", Changed="2025-03-06 09:00")
    assert [name for name, _, _ in kept.events()] == ["time.logged.v1", "time.amended.v1"]
    assert kept.seconds() == {"2025-03": 720}


def test_in_whatever_order_versions_of_a_row_come_the_last_written_stands(
    rows_store: Store,
) -> None:
    versions = [("10", "17:00"), ("12", "18:00"), ("9", "19:00")]
    for patient, order in enumerate(permutations(versions)):
        kept = Kept(rows_store, mapping(rows(**CHANGED)))
        for minutes, at in [*order, *order]:
            changed = f"2025-03-05 {at}"
            kept.row(No=f"n{patient}", MRN=f"pt{patient}", Minutes=minutes, Changed=changed)
    assert {each["seconds"]["logged"] for each in kept.answers()} == {540}
    assert len(kept.answers()) == 6
    assert not kept.letters()


def test_a_row_back_to_what_it_was_is_a_correction_too(rows_store: Store) -> None:
    kept = Kept(rows_store, mapping(rows(**CHANGED)))
    for hour, minutes in enumerate(("10", "12", "10")):
        kept.row(Minutes=minutes, Changed=f"2025-03-05 1{hour}:00")
    assert kept.seconds() == {"2025-03": 600}
    assert not kept.letters()


def test_without_a_time_of_writing_a_changed_row_is_a_conflict_until_the_sheet_is_dated(
    rows_store: Store,
) -> None:
    kept = Kept(rows_store)
    kept.row()
    outcome = kept.row("g", Minutes="12", line=31)
    (letter,) = kept.letters()
    assert (outcome.accepted, letter.reason) == (0, "conflicting-duplicate")
    assert letter.sentence.startswith("line 31, ")
    assert "--exported-at" in letter.sentence
    assert kept.seconds() == {"2025-03": 600}
    assert kept.row("g", LATER, Minutes="12").accepted == 1
    assert kept.row("f", FIRST).ignored == {"superseded": 1}
    assert kept.seconds() == {"2025-03": 720}


def test_a_correction_of_the_day_itself_is_later_than_the_undated_row(rows_store: Store) -> None:
    kept = Kept(rows_store)
    kept.row()
    assert kept.row("g", "2025-03-05T15:00:00-05:00", Minutes="12").accepted == 1
    assert kept.seconds() == {"2025-03": 720}


def test_a_column_that_is_not_mapped_may_change_at_will(rows_store: Store) -> None:
    kept = Kept(rows_store)
    kept.row()
    assert kept.row("g", Notes="called back").ignored == {"unchanged": 1}


def test_two_rows_of_one_key_are_told_apart_by_nobody(rows_store: Store) -> None:
    kept = Kept(rows_store)
    kept.row(exported=FIRST)
    kept.row(exported=FIRST, Minutes="11", line=3)
    assert [letter.reason for letter in kept.letters()] == ["conflicting-duplicate"]


def test_a_row_that_is_left_out_now_says_nothing_any_more(rows_store: Store) -> None:
    kept = Kept(rows_store, mapping(rows(**CHANGED)))
    assert kept.row(Status="Draft").ignored == {"not-selected": 1}
    kept.row()
    kept.row(Status="Void", Changed="2025-03-07 09:00")
    assert [name for name, _, _ in kept.events()] == ["time.logged.v1", "time.voided.v1"]
    assert not kept.seconds()
    kept.row(Changed="2025-03-08 09:00")
    assert kept.seconds() == {"2025-03": 600}


def test_a_row_that_moves_to_another_patient_leaves_the_first(rows_store: Store) -> None:
    kept = Kept(rows_store, mapping(rows(**CHANGED)))
    kept.row()
    kept.row(MRN="pt2", Changed="2025-03-07 09:00")
    assert [each["patient_id"] for each in kept.answers()] == ["pt2"]


def test_another_mapping_corrects_what_the_same_rows_had_become(rows_store: Store) -> None:
    Kept(rows_store).row()
    in_seconds = rows()
    members = in_seconds["events"][0]["members"]
    seconds = {**members, "seconds": {"column": "Minutes", "duration": "seconds"}}
    kept = Kept(
        rows_store,
        mapping({**in_seconds, "events": [{"type": "time.logged.v1", "members": seconds}]}),
    )
    assert kept.row().accepted == 1
    assert kept.row().ignored == {"repeated": 1}
    assert kept.seconds() == {"2025-03": 10}


class TestWithoutKey:
    """The whole row is its own name, and a changed row looks like new work."""

    @pytest.fixture
    def kept(self, rows_store: Store) -> Kept:
        return Kept(rows_store, mapping(rows(key=[])))

    def test_a_grown_sheet_adds_what_is_new(self, kept: Kept) -> None:
        kept.row()
        assert kept.row("g").ignored == {"repeated": 1}
        assert kept.row("g", Date="3/6/2025").accepted == 1
        assert kept.seconds() == {"2025-03": 1200}

    def test_rows_of_one_sheet_that_differ_are_work_of_their_own(self, kept: Kept) -> None:
        kept.row()
        assert kept.row(Minutes="11").accepted == 1

    def test_a_row_that_may_be_an_earlier_one_changed_goes_to_a_person(self, kept: Kept) -> None:
        kept.row()
        kept.row("g", Minutes="11")
        assert [letter.reason for letter in kept.letters()] == ["ambiguous"]
        assert kept.seconds() == {"2025-03": 600}

    def test_the_same_row_twice_in_a_sheet_goes_to_a_person(self, kept: Kept) -> None:
        kept.row()
        kept.row(same_as=2, line=5)
        (letter,) = kept.letters()
        assert letter.reason == "ambiguous"
        assert letter.sentence.startswith("line 5, ")
        assert "line 2" in letter.sentence
        assert kept.seconds() == {"2025-03": 600}

    def test_where_the_mapping_says_so_each_row_is_work_of_its_own(self, rows_store: Store) -> None:
        kept = Kept(rows_store, mapping(rows(key=[], without_key="each")))
        kept.row()
        kept.row(same_as=2, line=5)
        kept.row("g", Minutes="11")
        kept.row("h")
        assert kept.seconds() == {"2025-03": 600 + 600 + 660}
        assert not kept.letters()
