"""Promises of the domain that hold for any patient, held against the oracle and itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.assess import Assessment, assess
from domain.event import Event
from domain.patient import Accepted, Patient, decide, evolve, months_touched
from domain.rules import BOOK
from infra.answers import assessment_json
from tests import oracle
from tests.given import folded
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

QUICK = settings(
    max_examples=examples(60),
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PATIENTS = 700
"""Three months each: more than 2,000 patient-months in every run."""


def answers(events: Iterable[Event], scene: Scene) -> list[Any]:
    """The product's answers for the scene's months, without what depends on fees or versions."""
    patient = folded(events)
    return [
        _plain(assessment_json(assess(patient, month, BOOK, scene.policy)))
        for month in scene.months
    ]


def _plain(body: bytes) -> Any:
    answer = json.loads(body)
    answer["payment"] = answer["rules"] = answer["stream_version"] = None
    for option in (*answer["options"], *answer["earned"]):
        option["payment"] = None
    answer["warnings"] = [w for w in answer["warnings"] if w != "fee-missing"]
    return answer


@settings(QUICK, max_examples=examples(PATIENTS))
@given(scenes())
def test_every_answer_is_the_one_of_the_oracle(scene: Scene) -> None:
    """Thousands of random patient-months: the same answer as second by second."""
    if not scene.events:
        return
    for expected, found in zip(
        oracle.assess_months(scene.events, list(scene.months), scene.policy),
        answers(scene.events, scene),
        strict=True,
    ):
        assert found == expected


@QUICK
@given(scenes(), st.randoms(use_true_random=False))
def test_an_answer_that_grew_event_by_event_is_the_one_worked_out_at_once(
    scene: Scene, chance: Random
) -> None:
    """In any order of arrival, after each event, for the months that the event touches; in the
    others it changes nothing."""
    arriving = chance.sample(scene.events, len(scene.events))
    grown = Patient("p1", "pt1")
    last: dict[str, Assessment] = {}
    for number, event in enumerate(arriving, 1):
        if not isinstance(decide(grown, event), Accepted):
            continue
        evolve(grown, event)
        for month in months_touched(grown, event) & set(scene.months):
            at_once = assess(folded(arriving[:number]), month, BOOK, scene.policy)
            last[month] = assess(grown, month, BOOK, scene.policy)
            assert last[month] == at_once
    for month, answer in last.items():
        at_once = assess(folded(arriving), month, BOOK, scene.policy)
        assert replace(answer, stream_version=grown.version) == at_once
