"""The live projection folds events one by one and says what changed."""

from __future__ import annotations

import random
from datetime import date

from domain.alerts import AlertType
from domain.event import Event
from domain.facts import CLOCK_SOURCE, Boundary, ClockTicked, PatientDisenrolled
from domain.patient import Patient
from domain.policy import Policy
from domain.rules import BOOK
from projections.live import MICROSECONDS, LivePatient
from tests.given import clocked, event, instant, ready, staff, voided

Seen = tuple[str, str, bool]
AT_RISK, NEAR = AlertType.MONTH_AT_RISK.value, AlertType.THRESHOLD_APPROACHING.value
REACHED = AlertType.THRESHOLD_REACHED.value
DEFAULT = Policy()
MONTH = "2025-03"
NOW_US = instant("2025-03-20T12:00:00Z") * MICROSECONDS


def run(events: list[object]) -> tuple[LivePatient, list[tuple[str, str, int, bool]]]:
    live, seen = LivePatient(Patient("p1", "pt1")), []
    for said in events:
        _, changes = live.take(said, NOW_US, BOOK, Policy())  # type: ignore[arg-type]
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


def at(live: LivePatient, event: Event, when: str, policy: Policy = DEFAULT) -> list[Seen]:
    _, changes = live.take(event, instant(when) * MICROSECONDS, BOOK, policy)
    return [(c.watched.type.value, c.watched.month, c.raised) for c in changes]


def tick(month: str, boundary: Boundary, when: str) -> Event:
    return event(ClockTicked(month, boundary), when, source=CLOCK_SOURCE)


def test_a_tick_counts_in_the_version_puts_a_month_at_risk_and_ends_it() -> None:
    live, _ = run(ready(MONTH))
    few, over = "2025-03-27T04:00:00Z", "2025-04-01T04:00:05Z"
    assert live.would_change(MONTH, instant(few), BOOK, Policy())
    assert at(live, tick(MONTH, Boundary.AT_RISK, few), few) == [(AT_RISK, MONTH, True)]
    assert not live.would_change(MONTH, instant(few), BOOK, Policy())
    assert at(live, tick(MONTH, Boundary.MONTH_OVER, over), over) == [(AT_RISK, MONTH, False)]
    assert live.patient.version == len(ready(MONTH)) + 2
    assert all(e.source != CLOCK_SOURCE for e in live.patient.events.values())


def test_a_tick_changes_no_answer() -> None:
    live, _ = run([*ready(MONTH), staff("t1", "2025-03-03", 1_000)])
    months, _ = live.take(tick(MONTH, Boundary.AT_RISK, "2025-03-27T04:00:00Z"), 1, BOOK, Policy())
    assert months == set()


def test_who_is_enrolled_when_few_days_are_left_is_at_risk_at_once_without_any_time() -> None:
    live, seen = LivePatient(Patient("p1", "pt1")), []
    for fact in ready(MONTH):
        seen += at(live, fact, "2025-03-29T12:00:00Z")
    assert seen == [(AT_RISK, MONTH, True)]


def test_a_month_without_time_is_no_longer_at_risk_once_its_patient_has_left() -> None:
    live, _ = run(ready(MONTH))
    few = "2025-03-27T04:00:00Z"
    at(live, tick(MONTH, Boundary.AT_RISK, few), few)
    left = event(PatientDisenrolled(date(2025, 2, 28), "moved away"), "2025-03-28T12:00:00Z")
    assert at(live, left, "2025-03-28T12:00:00Z") == [(AT_RISK, MONTH, False)]


def test_a_near_threshold_is_left_alone_by_a_tick_until_the_month_is_over() -> None:
    live, seen = run([*ready(MONTH), staff("t1", "2025-03-03", 1_500)])
    assert seen == [(REACHED, "99490", 1, True)]
    wide = Policy(approaching_seconds=900)
    last = staff("t2", "2025-03-05", 60)
    assert at(live, last, "2025-03-31T12:00:00Z", wide) == [(NEAR, MONTH, True)]
    assert not live.would_change(MONTH, instant("2025-04-01T03:59:59Z"), BOOK, wide)
    assert live.would_change(MONTH, instant("2025-04-01T04:00:00Z"), BOOK, wide)
