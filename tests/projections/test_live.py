"""The live projection folds events one by one and says what changed."""

from __future__ import annotations

import random

from domain.alerts import AlertType
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import BOOK
from projections.live import MICROSECONDS, LivePatient
from tests.given import clocked, instant, ready, staff, voided

MONTH = "2025-03"
NOW_US = instant("2025-03-20T12:00:00Z") * MICROSECONDS


def run(events: list[object]) -> tuple[LivePatient, list[tuple[str, str, int, bool]]]:
    live, seen = LivePatient(Patient("p1", "pt1")), []
    for event in events:
        _, changes = live.take(event, NOW_US, BOOK, Policy())  # type: ignore[arg-type]
        seen += [(c.watched.type.value, c.watched.code, c.number, c.raised) for c in changes]
    return live, seen


def test_a_code_is_approached_reached_and_taken_back_by_a_correction() -> None:
    _, seen = run(
        [
            *ready(MONTH),
            staff("t1", "2025-03-03", 1_000),
            staff("t2", "2025-03-04", 300),
            voided("t2", "2025-03-05T12:00:00Z"),
        ]
    )
    near, reached = AlertType.THRESHOLD_APPROACHING.value, AlertType.THRESHOLD_REACHED.value
    assert seen == [
        (near, "99490", 1, True),
        (near, "99490", 2, False),
        (reached, "99490", 1, True),
        (reached, "99490", 2, False),
        (near, "99490", 3, True),
    ]


def test_a_month_left_empty_by_a_correction_has_no_assessment_any_more() -> None:
    live, _ = run([*ready(MONTH), staff("t1", "2025-03-03", 1_000)])
    assert live.answer(MONTH, BOOK, Policy()) is not None
    months, _ = live.take(voided("t1", "2025-03-05T12:00:00Z"), NOW_US, BOOK, Policy())
    assert months == {MONTH}
    assert live.answer(MONTH, BOOK, Policy()) is None


def test_the_last_answer_is_the_same_in_any_order_of_arrival() -> None:
    events = [
        *ready(MONTH),
        staff("t1", "2025-03-03", 1_000),
        clocked("t2", "2025-03-04T10:00:00-05:00", "2025-03-04T10:25:00-05:00"),
        voided("t1", "2025-03-05T12:00:00Z"),
    ]
    shuffles = [random.Random(seed).sample(events, len(events)) for seed in range(40)]
    assert len({run(shuffled)[0].answer(MONTH, BOOK, Policy()) for shuffled in shuffles}) == 1
