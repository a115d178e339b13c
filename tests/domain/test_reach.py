"""Only months that an event can bear on are assessed anew; all others stay as they are."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from domain.assess import Assessment, assess
from domain.patient import Patient, evolve, months_known, months_touched
from domain.rules import BOOK
from tests.strategies import Scene, scenes
from tests.thoroughness import examples


def answers(patient: Patient, scene: Scene) -> dict[str, Assessment]:
    months = months_known(patient)
    found = {month: assess(patient, month, BOOK, scene.policy) for month in months}
    return {month: replace(answer, stream_version=0) for month, answer in found.items()}


@settings(
    max_examples=examples(120),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(scenes())
def test_a_month_that_an_event_does_not_touch_keeps_its_answer(scene: Scene) -> None:
    patient = Patient("p1", "pt1")
    before = answers(patient, scene)
    for event in scene.events:
        evolve(patient, event)
        after, touched = answers(patient, scene), months_touched(patient, event)
        for month in before.keys() & after.keys() - touched:
            assert after[month] == before[month], (month, event.fact)
        before = after
