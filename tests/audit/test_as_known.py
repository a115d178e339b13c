"""As known at an instant: exactly what the read model showed at that moment."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.event import Event
from domain.facts import EventRetracted
from infra.codec import instant_text
from infra.eventstore import open_store
from services.readings import as_known
from tests.audit.growing import DAY_US, FIRST_US, GrowingLog
from tests.given import ready, staff, voided
from tests.services.command import Command, command
from tests.strategies import Scene, scenes

__all__ = ["command"]

LOGS, INSTANTS = 25, 40
"""A thousand instants in all."""


@pytest.fixture
def grown(command: Command) -> Iterator[GrowingLog]:
    store = open_store(command.database)
    log = GrowingLog(store)
    log.take(ready("2025-03"), FIRST_US)
    log.take([staff("t1", "2025-03-05", 1_260)], FIRST_US + DAY_US)
    log.take([voided("t1", "2025-03-08T12:00:00Z")], FIRST_US + 2 * DAY_US)
    yield log
    store.close()


def undated(rows: list[bytes], as_of_us: int) -> list[bytes]:
    dated = b'"as_of":"%b"' % instant_text(as_of_us).encode()
    assert all(dated in row for row in rows)
    return [row.replace(dated, b'"as_of":null') for row in rows]


def lived_by(scene: Scene, patient: str, practice: str) -> list[Event]:
    """The scene's events as those of this patient; every id is new, retractions find theirs."""

    def named(event: Event) -> Event:
        fact = event.fact
        if isinstance(fact, EventRetracted):
            fact = replace(fact, event_id=f"{patient}-{fact.event_id}")
        id = f"{patient}-{event.id}"
        return replace(event, patient_id=patient, practice_id=practice, id=id, fact=fact)

    return [named(event) for event in scene.events]


@settings(max_examples=LOGS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenes(), scenes(), st.randoms(use_true_random=False))
def test_the_answer_as_of_any_instant_is_the_one_shown_at_that_moment(
    one: Scene, other: Scene, chance: random.Random
) -> None:
    """Forty instants in each of twenty-five logs: before, between, at and after the commits; late
    facts, corrections and withdrawals in any order; a clock that stands still now and then."""
    events = [*lived_by(one, "a", "p1"), *lived_by(one, "b", "p2"), *lived_by(other, "c", "p1")]
    chance.shuffle(events)
    log = GrowingLog(open_store("memory:"), one.policy)
    now = FIRST_US
    while events:
        size = chance.randint(1, 6)
        batch, events = events[:size], events[size:]
        log.take(batch, now)
        now += chance.choice((0, 1, 7, 1_000_000, chance.randint(1, DAY_US)))
    for _ in range(INSTANTS):
        at = chance.choice(log.shown)[0] + chance.choice((-1, 0, 1, chance.randint(-(9**9), 9**9)))
        assert undated(list(as_known(log.parts, at)), at) == log.shown_at(at)


def test_each_commit_is_seen_from_its_own_microsecond_on(grown: GrowingLog) -> None:
    statuses = [
        [json.loads(row)["status"] for row in as_known(grown.parts, at + step)]
        for at, _ in grown.shown
        for step in (-1, 0)
    ]
    assert statuses == [[], [], [], ["billable"], ["billable"], []]


@pytest.mark.usefixtures("grown")
def test_the_command_prints_the_answers_of_an_earlier_instant(command: Command) -> None:
    instant = instant_text(FIRST_US + DAY_US)
    (then,) = command("assessments", "--as-of", instant).lines()
    assert (then["status"], then["as_of"], then["stream_version"]) == ("billable", instant, 7)
    assert command("assessments", "--as-of", instant, "--status", "blocked").out == b""
    assert command("assessments").out == b""
    months = command("assessments", "--as-of", instant, "--all-months").lines()
    assert [answer["month"] for answer in months] == ["2025-01", "2025-02", "2025-03"]


def test_an_instant_out_of_form_is_refused(command: Command) -> None:
    ran = command("assessments", "--as-of", "yesterday")
    assert (ran.code, ran.out) == (2, b"")
    assert "--as-of: expected an RFC 3339 instant" in ran.err
