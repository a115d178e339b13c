"""The page at any moment is the answer of `--as-of`, and what it marks is what differs."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.codec import instant_text
from infra.eventstore import open_store
from services.explain import explain_json, explain_stored
from services.histories import Unanswerable
from services.pages.knowing import difference, stop_at, stops
from services.pages.patient import Sheet
from services.views.record import Record, record_of
from tests.audit.growing import DAY_US, FIRST_US, GrowingLog
from tests.audit.scene import MONTH, lived
from tests.services.command import Command, command
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

__all__ = ["command"]

INSTANTS = 8


@pytest.fixture
def record(command: Command) -> Iterator[Record]:
    store = open_store(command.database)
    yield record_of(lived(store).parts, "p1", "pt1", MONTH)
    store.close()


def grown(scene: Scene, chance: random.Random) -> GrowingLog:
    """The scene's events in any order, in batches at moments of their own."""
    events, now = list(scene.events), FIRST_US
    chance.shuffle(events)
    log = GrowingLog(open_store("sqlite:///:memory:"), scene.policy)
    while events:
        size = chance.randint(1, 6)
        log.take(events[:size], now)
        events, now = events[size:], now + chance.choice((1, 1_000_000, DAY_US))
    return log


@settings(max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), st.randoms(use_true_random=False))
def test_a_page_of_any_moment_is_what_explain_says_as_of_it(
    scene: Scene, chance: random.Random
) -> None:
    """At every stop and at instants between: byte for byte, or nothing known for both."""
    log = grown(scene, chance)
    parts = log.parts
    for month in scene.months[:2]:
        patient = scene.events[0].patient_id
        record = record_of(parts, "p1", patient, month)
        moments = [stop.at_us for stop in stops(record.now())]
        moments += [chance.randint(FIRST_US - DAY_US, log.now_us + 1) for _ in range(INSTANTS)]
        for at_us in moments:
            known = record.at(at_us)
            try:
                said = explain_stored(
                    parts.store, parts.book, lambda _: scene.policy, "p1", patient, month, at_us
                )
            except Unanswerable:
                assert known is None
            else:
                assert known is not None
                assert explain_json(known.explained) == explain_json(said)


@settings(max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), st.randoms(use_true_random=False))
def test_what_is_not_marked_is_the_same_at_both_moments(
    scene: Scene, chance: random.Random
) -> None:
    """Every row is there once; one that differs is marked, one that does not is not."""
    record = record_of(grown(scene, chance).parts, "p1", scene.events[0].patient_id, MONTH)
    now = list(Sheet(record.now()).rows())
    assert len({row.key for row in now}) == len(now)
    for stop in stops(record.now()):
        known = record.at(stop.at_us)
        assert known is not None
        shown = list(Sheet(known).rows())
        found = difference(shown, now, "now")
        here, there = ({row.key: row.says for row in rows} for rows in (shown, now))
        assert {key for key in here if here[key] != there.get(key)} == set(found.marks)
        assert {key for key, _ in found.missing} == there.keys() - here.keys()
    assert not difference(now, now, "now")


def test_the_last_moment_is_now(record: Record) -> None:
    now = record.now()
    last = record.at(stops(now)[-1].at_us)
    assert last is not None
    assert not difference(Sheet(last).rows(), Sheet(now).rows(), "now")


def test_the_command_says_the_same_of_every_moment(record: Record, command: Command) -> None:
    found = stops(record.now())
    assert len(found) == 4
    for stop in found:
        known = record.at(stop.at_us)
        assert known is not None
        ran = command("explain", "pt1", MONTH, "--practice", "p1", "--as-of", stop.at, "--json")
        assert explain_json(known.explained) == ran.out.rstrip(b"\n")


def test_stops_are_the_moments_of_recording_and_tell_what_came(record: Record) -> None:
    found = stops(record.now())
    assert [stop.at for stop in found] == [
        "2025-04-01T12:00:00Z",
        "2025-04-02T12:00:00Z",
        "2025-04-03T12:00:00Z",
        "2025-04-10T12:00:00Z",
    ]
    assert [len(stop.events) for stop in found] == [7, 8, 1, 3]
    assert [stop.alerts for stop in found] == [0, 3, 0, 2]


def test_the_slider_stands_at_the_last_stop_by_then(record: Record) -> None:
    found = stops(record.now())
    assert stop_at(found, None) == 3
    assert stop_at(found, found[0].at_us - 1) == -1
    assert [stop_at(found, stop.at_us) for stop in found] == [0, 1, 2, 3]
    assert [stop_at(found, stop.at_us + 1) for stop in found] == [0, 1, 2, 3]


def test_a_correction_is_marked_where_it_changed_something(record: Record) -> None:
    found = stops(record.now())
    before = record.at(found[2].at_us)
    assert before is not None
    marks = difference(Sheet(before).rows(), Sheet(record.now()).rows(), "now").marks
    assert marks["status"] == "now: diverged"
    assert marks["amount"] == "now: $106.42"
    assert marks["rung non-complex 99439 2"] == "now: 13:30 to go"
    assert marks["entry t5"] == "now: voided, counts 0:00 of 0:00"
    assert marks["span t2 2025-03-05 09:21"] == "no longer so"
    assert "check consent-missing" not in marks


def test_against_the_moment_before_what_is_new_is_new(record: Record) -> None:
    found = stops(record.now())
    shown, before = record.at(found[1].at_us), record.at(found[0].at_us)
    assert shown is not None
    assert before is not None
    marks = difference(Sheet(shown).rows(), Sheet(before).rows(), "before").marks
    assert marks["entry t1"] == "new"
    assert marks["status"] == "before: accruing"


def test_an_instant_is_named_as_the_option_takes_it(record: Record) -> None:
    assert all(instant_text(stop.at_us) == stop.at for stop in stops(record.now()))
