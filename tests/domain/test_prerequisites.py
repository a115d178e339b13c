"""Months share what the chart says of them, and no month can tell."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.assess.context import MonthContext, month_context
from domain.policy import Policy
from domain.rules import BOOK
from tests.given import consent, folded, ready
from tests.strategies import Scene, month_after, scenes
from tests.thoroughness import examples


def told(context: MonthContext) -> list[object]:
    """What a month says of its chart, its requirements and each of its days."""
    spans = (None, *context.timeline.spans)
    shared = context.prerequisites
    return [
        *(context.span, context.timezone, context.question, context.findings, context.blockers),
        *(context.families, context.in_reach, context.days, context.spans, context.ready_from),
        *(shared.practitioners_own, shared.concurrent, shared.visit_spans),
        [context.reasons.of(stretch.day, span) for stretch in context.days for span in spans],
    ]


@settings(max_examples=examples(150), deadline=None)
@given(scenes(), st.data())
def test_a_month_is_told_the_same_whatever_months_were_asked_about_before(
    scene: Scene, data: st.DataObject
) -> None:
    around = {month_after(month, by) for month in scene.months for by in (-2, -1, 0, 1, 2)}
    patient = folded(scene.events)
    for month in data.draw(st.permutations(sorted(around))):
        alone = folded(scene.events)
        asked = [month_context(one, month, BOOK, scene.policy) for one in (patient, alone)]
        assert told(asked[0]) == told(asked[1])


def test_months_between_two_turning_days_under_the_same_rules_share_their_prerequisites() -> None:
    """What sharing is for: without it this test would ask the chart once a month."""
    patient = folded([*ready("2025-01"), consent("2025-04-15")])
    months = [month_context(patient, f"2025-0{number}", BOOK, Policy()) for number in range(2, 6)]
    february, march, april, may = (month.prerequisites for month in months)
    assert february is march
    assert april is may
