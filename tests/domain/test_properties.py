"""Promises of the domain that hold for any patient, held against the oracle and itself."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import HealthCheck, given, settings

from domain.assess import assess
from domain.event import Event
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
