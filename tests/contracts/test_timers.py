"""What timers promise, whatever lies under them: one of a person runs, and nothing is half done."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from infra.eventstore import open_store
from infra.eventstore.timers import open_timers
from infra.timers import State, Stretch, Timer, Timers
from projections.ports import Store
from services.pages.timer.watches import RunsElsewhere, Watches

T0 = 1_741_000_000
TABS, ROUNDS = 6, 5


@pytest.fixture
def timers(store: Store) -> Timers:
    return open_timers(store)


def timer(id: str, patient: str = "pt1", state: State = "running", person: str = "ann") -> Timer:
    end = None if state == "running" else T0 + 60
    return Timer(id, person, "p1", patient, state, T0, (Stretch(T0, end),))


def moved(before: Timer, state: State) -> Timer:
    return replace(before, state=state, version=before.version + 1)


def test_a_timer_comes_back_whole_and_belongs_to_one_person(timers: Timers) -> None:
    assert timers.of("ann") == []
    two = replace(
        timer("b", "pt2", "paused"), stretches=(Stretch(T0, T0 + 5), Stretch(T0 + 9, T0 + 70))
    )
    assert timers.write(timer("a"), two)
    assert timers.write(timer("c", person="bob"))
    assert timers.of("ann") == [timer("a"), two]
    assert timers.of("bob") == [timer("c", person="bob")]


def test_a_second_one_of_a_person_does_not_run(timers: Timers) -> None:
    assert timers.write(timer("a"))
    assert not timers.write(timer("b", "pt2"))
    paused = timer("c", "pt3", "paused")
    assert timers.write(paused)
    assert not timers.write(moved(paused, "running"))
    assert timers.of("ann") == [timer("a"), paused]


def test_one_makes_way_for_another_in_one_step(timers: Timers) -> None:
    timers.write(timer("a"))
    assert timers.write(timer("b", "pt2"), moved(timer("a"), "paused"))
    assert [(t.id, t.state) for t in timers.of("ann")] == [("a", "paused"), ("b", "running")]
    back = moved(timers.of("ann")[0], "running")
    assert timers.write(back, moved(timer("b", "pt2"), "stopped"))
    assert [(t.id, t.state) for t in timers.of("ann")] == [("a", "running"), ("b", "stopped")]


def test_of_a_patient_one_is_open_and_any_number_waits_to_be_logged(timers: Timers) -> None:
    assert timers.write(timer("a", state="paused"))
    assert not timers.write(timer("b", state="paused"))
    assert timers.write(timer("c", state="stopped"), timer("d", state="stopped"))
    assert len(timers.of("ann")) == 3


def test_what_was_changed_meanwhile_is_not_written_over(timers: Timers) -> None:
    timers.write(timer("a"))
    assert timers.write(moved(timer("a"), "paused"))
    assert not timers.write(moved(timer("a"), "stopped"))
    assert not timers.write(timer("a"))
    assert not timers.write(moved(timer("nothing"), "paused"))
    assert [t.state for t in timers.of("ann")] == ["paused"]


def test_several_are_written_whole_or_not_at_all(timers: Timers) -> None:
    timers.write(timer("a"))
    assert not timers.write(moved(timer("a"), "paused"), moved(timer("gone", "pt2"), "running"))
    assert timers.of("ann") == [timer("a")]


def test_one_is_removed_once(timers: Timers) -> None:
    timers.write(timer("a"))
    assert timers.remove("a")
    assert not timers.remove("a")
    assert timers.of("ann") == []


def test_they_outlive_the_process(durable_url: str) -> None:
    store = open_store(durable_url)
    open_timers(store).write(timer("a"))
    store.close()
    again = open_store(durable_url)
    assert open_timers(again).of("ann") == [timer("a")]
    again.close()


@pytest.mark.parametrize("_round", range(ROUNDS))
@pytest.mark.parametrize("switch", ["", "pause"])
def test_tabs_of_several_processes_that_start_at_once_end_with_one_timer(
    durable_url: str, switch: str, _round: int
) -> None:
    """Each has a store of its own, as processes have, and half of them want the same patient."""
    open_store(durable_url).close()
    barrier = Barrier(TABS)

    def start(tab: int) -> str:
        store = open_store(durable_url)
        watches = Watches(open_timers(store), lambda: T0 * 1_000_000)
        barrier.wait()
        try:
            made = watches.start("ann", "p1", f"pt{tab // 2}", "pause" if switch else "")
            return made.patient_id
        except RunsElsewhere as running:
            return f"elsewhere: {running.other.patient_id}"
        finally:
            store.close()

    with ThreadPoolExecutor(TABS) as pool:
        said = list(pool.map(start, range(TABS)))
    store = open_store(durable_url)
    found = open_timers(store).of("ann")
    store.close()
    assert [t.state for t in found].count("running") == 1
    if switch:
        assert sorted(t.patient_id for t in found) == ["pt0", "pt1", "pt2"]
        assert sorted(said) == ["pt0", "pt0", "pt1", "pt1", "pt2", "pt2"]
    else:
        (only,) = found
        assert set(said) == {only.patient_id, f"elsewhere: {only.patient_id}"}
