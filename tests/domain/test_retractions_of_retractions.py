"""What retractions of retractions withdraw is worked out from those that hang together alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import patient as domain_patient
from domain.event import Event, EventKey
from domain.facts import EventRetracted, PatientDied
from domain.patient import Patient, evolve
from domain.retractions import withdrawn_keys
from tests.thoroughness import examples

IDS = st.sampled_from("abcdefgh")


def event(id: str, fact: EventRetracted | PatientDied, time: int = 1_741_000_000) -> Event:
    return Event("p1", "pt1", "s", id, time, fact, id.encode())


def retraction(id: str, of: str, time: int = 1_741_000_000) -> Event:
    return event(id, EventRetracted("s", of, "x"), time)


@settings(max_examples=examples(400), deadline=None)
@given(
    st.lists(st.tuples(IDS, st.integers(0, 3)), max_size=8),
    st.permutations([*"abcdefgh", "death"]),
)
def test_it_is_what_all_retractions_together_withdraw(
    named: list[tuple[str, int]], order: Sequence[str]
) -> None:
    """In whatever order they come, in circles too."""
    said = {id: retraction(id, of, 1 + at) for id, (of, at) in zip("abcdefgh", named, strict=False)}
    said["death"] = event("death", PatientDied(date(2025, 3, 1)))
    patient, retractions = Patient("p1", "pt1"), []
    for id in order:
        if id not in said:
            continue
        evolve(patient, said[id])
        retractions += [said[id]] if id != "death" else []
        assert patient.withdrawn == withdrawn_keys(retractions)


def looked_at(events: int, turns: int, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many retractions are looked at while each of so many events is withdrawn, brought back
    and so on in turns."""
    seen = 0

    def counted(retractions: Sequence[Event]) -> frozenset[EventKey]:
        nonlocal seen
        seen += len(retractions)
        return withdrawn_keys(retractions)

    monkeypatch.setattr(domain_patient, "withdrawn_keys", counted)
    patient = Patient("p1", "pt1")
    for number in range(events):
        evolve(patient, event(f"{number}~0", PatientDied(date(2025, 3, 1))))
    for turn in range(1, turns + 1):
        for number in range(events):
            evolve(patient, retraction(f"{number}~{turn}", f"{number}~{turn - 1}"))
    return seen


def test_twice_as_many_events_that_are_withdrawn_and_brought_back_are_twice_the_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert looked_at(200, 6, monkeypatch) == 2 * looked_at(100, 6, monkeypatch) > 0
