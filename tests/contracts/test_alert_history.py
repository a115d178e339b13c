"""A patient's alert transitions: the same ones from every store, and nobody else's."""

from __future__ import annotations

from infra.eventstore.alert_history import transitions_of
from projections.ports import AlertState, Store, TransitionRow
from tests.contracts.made import batch, stream


def moved(store: Store, patient: str, type: str, number: int, practice: str = "p1") -> None:
    name = f"{practice}-{patient}-{type}"
    state = AlertState(name, "2025-03", type, "99490", 1, number, number % 2 == 1)
    row = TransitionRow(stream(patient, practice), practice, patient, state, number, b"{}")
    store.commit(batch(transitions=[row]))


def test_they_come_oldest_first_and_of_this_patient_alone(store: Store) -> None:
    moved(store, "a", "threshold.reached", 1)
    moved(store, "b", "threshold.reached", 1)
    moved(store, "a", "month.at-risk", 1)
    moved(store, "a", "threshold.reached", 2)
    moved(store, "a", "threshold.reached", 1, practice="p2")
    found = transitions_of(store, stream("a"))
    assert [(row.state.type, row.state.transition, row.state.raised) for row in found] == [
        ("threshold.reached", 1, True),
        ("month.at-risk", 1, True),
        ("threshold.reached", 2, False),
    ]
    assert all((row.practice_id, row.patient_id) == ("p1", "a") for row in found)


def test_a_patient_without_alerts_has_none(store: Store) -> None:
    assert transitions_of(store, stream("nobody")) == []
