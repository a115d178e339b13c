"""Stretches: the same seconds as the count, each at its place on the clock."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings

from domain.assess.context import month_context
from domain.assess.counting import count, standing_entries
from domain.explain.stretches import Stretch, stretches
from domain.facts import Clocked, Role
from domain.policy import Policy
from domain.rules import BOOK
from tests.given import clocked, folded, ready, staff
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

MONTH = "2025-03"


@settings(max_examples=examples(300), deadline=None)
@given(scenes())
def test_every_second_of_the_count_is_in_one_stretch(scene: Scene) -> None:
    """By entry and reason, by day in the pool of everyone and in that of each role."""
    patient = folded(scene.events)
    for month in scene.months:
        context = month_context(patient, month, BOOK, scene.policy)
        entries = patient.entries.in_month(month).values()
        clocks, days = standing_entries(entries)
        tally, found = count(context, clocks, days), stretches(context, entries)
        roles = {each.entry_id: each.by_practitioner for each in (*clocks, *days)}
        excluded: Counter[tuple[str, str]] = Counter()
        everyone: Counter[object] = Counter()
        own: dict[bool, Counter[object]] = {True: Counter(), False: Counter()}
        for each in found:
            assert each.seconds > 0
            if each.reason is not None:
                excluded[each.entry_id, each.reason] += each.seconds
            else:
                everyone[each.day] += each.seconds
            if each.in_own_pool:
                own[roles[each.entry_id]][each.day] += each.seconds
        assert sum(each.seconds for each in found) == tally.logged
        assert dict(excluded) == tally.excluded
        assert dict(everyone) == dict(tally.everyone)
        assert dict(own[True]) == dict(tally.practitioner)
        assert dict(own[False]) == dict(tally.staff)


@settings(max_examples=examples(150), deadline=None)
@given(scenes())
def test_no_stretch_leaves_its_entry_and_no_counted_second_is_there_twice(scene: Scene) -> None:
    patient = folded(scene.events)
    for month in scene.months:
        context = month_context(patient, month, BOOK, scene.policy)
        entries = patient.entries.in_month(month)
        counted: list[tuple[int, int]] = []
        for each in stretches(context, entries.values()):
            standing = entries[each.entry_id].standing
            assert standing is not None
            if each.started_at is None:
                continue
            assert isinstance(standing.work, Clocked)
            end = each.started_at + each.seconds
            assert standing.work.started_at <= each.started_at < end <= standing.work.ended_at
            if each.reason is None:
                counted.append((each.started_at, end))
        counted.sort()
        assert all(one[1] <= other[0] for one, other in pairwise(counted))


def found(*events: object) -> list[Stretch]:
    patient = folded([*ready(MONTH), *events])  # type: ignore[list-item]
    context = month_context(patient, MONTH, BOOK, Policy())
    return list(stretches(context, patient.entries.in_month(MONTH).values()))


def test_a_practitioner_beside_staff_overlaps_but_counts_among_practitioners() -> None:
    early, late = found(
        clocked("t1", "2025-03-05T09:00:00-05:00", "2025-03-05T09:20:00-05:00"),
        clocked(
            "t2",
            "2025-03-05T09:10:00-05:00",
            "2025-03-05T09:20:00-05:00",
            role=Role.BILLING_PRACTITIONER.value,
        ),
    )
    assert (early.seconds, early.reason, early.in_own_pool) == (1_200, None, True)
    assert (late.seconds, late.reason, late.in_own_pool) == (600, "overlap", True)


def test_work_over_midnight_is_cut_at_the_patients_midnight() -> None:
    one, other = found(clocked("t1", "2025-03-05T23:50:00-05:00", "2025-03-06T00:20:00-05:00"))
    assert (one.day.day, one.seconds, other.day.day, other.seconds) == (5, 600, 6, 1_200)


def test_work_without_clock_times_has_its_day_alone() -> None:
    (only,) = found(staff("t1", "2025-03-05", 900))
    assert (only.day.isoformat(), only.started_at, only.seconds) == ("2025-03-05", None, 900)
