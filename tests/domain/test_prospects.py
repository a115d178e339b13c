"""What the next minutes are said to bring is what they bring once they are logged."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.assess import assess
from domain.assess.assessment import Assessment, Family
from domain.assess.prospects import RUNGS_MAX, Rung, ladders_ahead, thresholds
from domain.assess.reckoning import reckon
from domain.patient import Patient, evolve
from domain.policy import Policy
from domain.rules import BOOK
from domain.time.calendar import first_day, last_day
from tests.given import folded, mdm, practitioner, ready, staff
from tests.strategies import Scene, scenes
from tests.thoroughness import examples

MONTH = "2025-03"
TODAY = date(2025, 3, 20)


def ladders(
    patient: Patient, today: date = TODAY, policy: Policy | None = None
) -> dict[Family, tuple[Rung, ...]]:
    reckoning = reckon(patient, MONTH, BOOK, policy or Policy())
    return {rungs[0].family: rungs for rungs in ladders_ahead(reckoning, BOOK, today)}


def paid(answer: Assessment) -> Decimal | None:
    if not answer.codes:
        return Decimal(0)
    return answer.payment.amount if answer.payment else None


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(60))
@given(scenes(), st.integers(0, 27))
def test_a_rung_brings_what_logging_its_seconds_brings(scene: Scene, days: int) -> None:
    """For any history, policy and day: the dollars of each first rung are the difference that the
    assessment shows once just these seconds are logged, and a second less does not reach it."""
    month = scene.months[1]
    today = first_day(month) + timedelta(days=days)
    patient = folded(scene.events)
    before = assess(patient, month, BOOK, scene.policy)
    reckoning = reckon(patient, month, BOOK, scene.policy)
    for rung, *_ in ladders_ahead(reckoning, BOOK, today):
        on = next(
            day
            for day in (today + timedelta(days=n) for n in range(31))
            if reckoning.context.reasons_on(day)[0] is None
        )
        assert on <= last_day(month)
        by = practitioner if rung.family is Family.PRACTITIONER else staff
        more = folded(scene.events)
        evolve(more, by("what-next", on, rung.seconds_to_go))
        after = assess(more, month, BOOK, scene.policy)
        old, new = paid(before), paid(after)
        assert rung.gain == (None if old is None or new is None else new - old)
        short = folded(scene.events)
        if rung.seconds_to_go > 1:
            evolve(short, by("what-next", on, rung.seconds_to_go - 1))
        near = {n.family: n for n in assess(short, month, BOOK, scene.policy).next}
        assert (near[rung.family].code, near[rung.family].unit) == (rung.code, rung.unit)


def test_the_rungs_of_a_ladder_sum_up_to_its_dollars() -> None:
    """Twenty, forty, sixty minutes: the code and its two further units, then nothing."""
    rungs = ladders(folded([*ready(MONTH), staff("t1", "2025-03-05", 960)]))[Family.NON_COMPLEX]
    assert [(r.code, r.unit, r.seconds_to_go) for r in rungs] == [
        ("99490", 1, 240),
        ("99439", 1, 1440),
        ("99439", 2, 2640),
    ]
    assert [r.gain for r in rungs] == [Decimal("60.49"), Decimal("45.93"), Decimal("45.93")]


def test_minutes_that_would_lower_the_selection_say_so() -> None:
    """By the default policy the practitioner's code replaces three of staff time, and pays less."""
    done = [staff("t1", "2025-03-05", 3600), practitioner("p1", "2025-03-06", 1500)]
    policy = Policy(pool_practitioner_time=False)
    (rung, *_) = ladders(folded([*ready(MONTH), *done]), policy=policy)[Family.PRACTITIONER]
    assert rung.seconds_to_go == 300
    assert rung.gain is not None
    assert rung.gain < 0


def test_what_blocks_the_month_leaves_nothing_to_gain() -> None:
    unfit = [said for said in ready(MONTH) if type(said.fact).__name__ != "ConsentRecorded"]
    assert not ladders(folded([*unfit, staff("t1", "2025-03-05", 960)]))


def test_a_month_that_is_over_has_nothing_ahead() -> None:
    patient = folded([*ready(MONTH), staff("t1", "2025-03-05", 960)])
    assert ladders(patient, date(2025, 3, 31))
    assert not ladders(patient, date(2025, 4, 1))


def test_an_uncapped_ladder_is_looked_up_a_few_rungs_only() -> None:
    patient = folded([*ready(MONTH), mdm(MONTH), staff("t1", "2025-03-05", 960)])
    assert len(ladders(patient)[Family.COMPLEX]) == RUNGS_MAX


def test_thresholds_are_those_of_the_month_whatever_was_reached() -> None:
    events = [*ready(MONTH), mdm(MONTH), staff("t1", "2025-03-05", 4000)]
    found = thresholds(reckon(folded(events), MONTH, BOOK, Policy()), 90 * 60)
    minutes = {(t.family, t.code, t.unit): t.seconds // 60 for t in found}
    assert minutes == {
        (Family.COMPLEX, "99487", 1): 60,
        (Family.COMPLEX, "99489", 1): 90,
        (Family.PRACTITIONER, "99491", 1): 30,
        (Family.PRACTITIONER, "99437", 1): 60,
        (Family.PRACTITIONER, "99437", 2): 90,
        (Family.NON_COMPLEX, "99490", 1): 20,
        (Family.NON_COMPLEX, "99439", 1): 40,
        (Family.NON_COMPLEX, "99439", 2): 60,
    }
