"""Alerts: one identity per thing watched, transitions that count, and a retraction."""

from __future__ import annotations

from datetime import date

from domain.alerts import (
    AlertType,
    Occasion,
    Standing,
    Suppression,
    Transition,
    Watched,
    alert_id,
    to_raise,
    transitions,
)
from domain.assess import Reckoning, reckon
from domain.event import Event
from domain.facts import (
    CodeUnits,
    Fact,
    MonthClaimed,
    PatientDied,
    PatientDisenrolled,
    ServiceBilled,
)
from domain.policy import Policy
from domain.rules import BOOK
from tests.given import (
    NEW_YORK,
    event,
    five_pm,
    folded,
    instant,
    practitioner,
    ready,
    staff,
    voided,
)

MONTH = "2025-03"
IN_MONTH = instant("2025-03-20T12:00:00Z")
REACHED = Watched(MONTH, AlertType.THRESHOLD_REACHED, "99490", 1)
NEAR = Watched(MONTH, AlertType.THRESHOLD_APPROACHING, "99490", 1)


AT_RISK = Watched(MONTH, AlertType.MONTH_AT_RISK, "99490", 1)


def reckoned(events: list[Event], month: str) -> Reckoning:
    return reckon(folded(events), month, BOOK, Policy())


def changed(
    standing: dict[Watched, Standing],
    wanted: dict[Watched, int | None],
    now: int = IN_MONTH,
    history: bool = False,
) -> list[Transition]:
    return transitions(standing, wanted, MONTH, NEW_YORK, Occasion(now, history))


def wanted(
    seconds: int, now: int = IN_MONTH, policy: Policy | None = None
) -> dict[Watched, int | None]:
    answer = reckoned([*ready(MONTH), staff("t1", "2025-03-05", seconds)], MONTH)
    return to_raise(answer, policy or Policy(), now)


def test_nothing_is_raised_beyond_the_margin() -> None:
    assert wanted(899) == {}


def test_a_threshold_is_approached_from_exactly_the_margin_on() -> None:
    assert wanted(900) == {NEAR: 300}
    assert wanted(1_199) == {NEAR: 1}


def test_a_practice_chooses_its_margin() -> None:
    assert wanted(600, policy=Policy(approaching_seconds=600)) == {NEAR: 600}


def test_a_reached_threshold_is_no_longer_approached() -> None:
    assert wanted(1_200) == {REACHED: None}


def test_each_further_unit_has_its_own_identity() -> None:
    second = Watched(MONTH, AlertType.THRESHOLD_REACHED, "99439", 2)
    first = Watched(MONTH, AlertType.THRESHOLD_REACHED, "99439", 1)
    assert set(wanted(3_600)) == {REACHED, first, second}


def test_no_threshold_is_approached_once_the_month_is_over_for_the_patient() -> None:
    assert wanted(1_000, now=instant("2025-04-01T03:59:59Z")) == {NEAR: 200, AT_RISK: 200}
    assert wanted(1_000, now=instant("2025-04-01T04:00:00Z")) == {}


def test_codes_of_every_family_offered_are_reached_though_one_is_billed() -> None:
    events = [
        *ready(MONTH),
        staff("t1", "2025-03-05", 1_200),
        practitioner("t2", "2025-03-06", 1_800),
    ]
    codes = {w.code for w in to_raise(reckoned(events, MONTH), Policy(), IN_MONTH)}
    assert codes == {"99491", "99490", "99439"}


def test_a_correction_resolves_what_it_takes_back_and_a_later_one_raises_it_again() -> None:
    raised = changed({}, {REACHED: None})
    assert [(t.number, t.raised) for t in raised] == [(1, True)]
    taken = changed({REACHED: Standing(1, True)}, {NEAR: 100})
    assert taken == [Transition(REACHED, 2, False, None), Transition(NEAR, 1, True, 100)]
    again = changed({NEAR: Standing(2, False)}, {NEAR: 40})
    assert again == [Transition(NEAR, 3, True, 40)]


def test_resolutions_come_first_and_each_side_is_in_order_of_type_code_and_unit() -> None:
    units = [Watched(MONTH, AlertType.THRESHOLD_REACHED, "99439", unit) for unit in (1, 2)]
    standing = {watched: Standing(1, True) for watched in (REACHED, *reversed(units))}
    made = changed(standing, {NEAR: 10, AT_RISK: 10})
    assert [t.watched for t in made] == [*units, REACHED, AT_RISK, NEAR]
    back = changed({}, dict.fromkeys((REACHED, *reversed(units))))
    assert [t.watched for t in back] == [*units, REACHED]


def test_what_already_stands_makes_no_transition() -> None:
    assert changed({REACHED: Standing(1, True)}, {REACHED: None}) == []
    assert changed({REACHED: Standing(2, False)}, {}) == []


def test_alerts_of_other_months_are_left_alone() -> None:
    other = Watched("2025-02", AlertType.THRESHOLD_REACHED, "99490", 1)
    assert changed({other: Standing(1, True)}, {}) == []


def test_an_identity_is_the_same_for_ever() -> None:
    assert alert_id("p1", "pt1", REACHED) == "c1f34929-cb24-5e31-8b22-bca9e36f213c"
    assert alert_id("p1", "pt1", REACHED) != alert_id("p1", "pt1", NEAR)
    assert alert_id("p1/a", "b", REACHED) != alert_id("p1", "a/b", REACHED)
    assert alert_id("praxis-süd", "pt1", REACHED) == "ed222662-d172-5a4f-a439-d43bf21f8ff3"


def test_an_open_patient_short_of_the_first_threshold_is_at_risk_in_the_last_five_days() -> None:
    assert AT_RISK not in wanted(600, now=instant("2025-03-27T03:59:59Z"))
    assert wanted(600, now=instant("2025-03-27T04:00:00Z")) == {AT_RISK: 600}
    assert wanted(1_200, now=instant("2025-03-27T04:00:00Z")) == {REACHED: None}


def at_risk_with(*facts: Fact, now: str = "2025-03-30T04:00:00Z", days: int = 5) -> bool:
    said = [event(fact, five_pm("2025-03-10")) for fact in facts]
    month = reckoned([*ready(MONTH), *said, staff("t1", "2025-03-05", 600)], MONTH)
    return AT_RISK in to_raise(month, Policy(at_risk_days=days), instant(now))


def test_a_patient_without_a_second_of_time_is_at_risk_too() -> None:
    month = reckoned(ready(MONTH), MONTH)
    assert to_raise(month, Policy(), instant("2025-03-27T04:00:00Z")) == {AT_RISK: 1_200}


def test_a_practice_chooses_how_many_days_are_few() -> None:
    assert not at_risk_with(now="2025-03-27T03:59:59Z")
    assert at_risk_with(now="2025-03-22T04:00:00Z", days=10)
    assert not at_risk_with(now="2025-03-31T12:00:00Z", days=0)


def test_no_month_is_at_risk_before_it_begins() -> None:
    month = reckoned(ready("2025-02"), "2025-02")
    many = Policy(at_risk_days=31)
    assert to_raise(month, many, instant("2025-02-01T04:59:59Z")) == {}
    assert to_raise(month, many, instant("2025-02-01T05:00:00Z")) != {}


def test_at_risk_is_who_spends_one_of_the_few_days_in_the_programme_and_alive() -> None:
    assert at_risk_with(PatientDisenrolled(date(2025, 3, 27), "moved away"))
    assert not at_risk_with(PatientDisenrolled(date(2025, 3, 26), "moved away"))
    assert at_risk_with(PatientDied(date(2025, 3, 27)))
    assert not at_risk_with(PatientDied(date(2025, 3, 26)))


def test_a_month_in_which_nobody_is_enrolled_approaches_nothing_however_wide_the_margin() -> None:
    left = event(PatientDisenrolled(date(2025, 2, 10), "moved away"), five_pm("2025-02-10"))
    month = reckoned([*ready(MONTH), left], MONTH)
    assert to_raise(month, Policy(approaching_seconds=7_200), IN_MONTH) == {}


def test_what_history_raises_is_suppressed_and_so_is_its_resolution() -> None:
    (raised,) = changed({}, {REACHED: None}, history=True)
    assert raised.suppressed is Suppression.HISTORY
    assert raised.standing == Standing(1, True, silent=True)
    (resolved,) = changed({REACHED: raised.standing}, {})
    assert resolved.suppressed is Suppression.NEVER_RAISED
    (again,) = changed({REACHED: resolved.standing}, {REACHED: None})
    assert (again.number, again.suppressed) == (3, None)


def test_what_was_raised_for_all_to_see_is_resolved_for_all_to_see_even_by_history() -> None:
    (resolved,) = changed({REACHED: Standing(1, True)}, {}, history=True)
    assert resolved.suppressed is None


def test_a_month_is_long_over_a_quarter_after_its_local_end_but_not_for_its_claim() -> None:
    diverged = Watched(MONTH, AlertType.CLAIM_DIVERGED, "", 0)
    both: dict[Watched, int | None] = {REACHED: None, diverged: None}
    over = instant("2025-07-02T04:00:00Z")
    assert [t.suppressed for t in changed({}, both, over - 1)] == [None, None]
    claim, reached = changed({}, both, over)
    assert (claim.watched, claim.suppressed) == (diverged, None)
    assert (reached.watched, reached.suppressed) == (REACHED, Suppression.MONTH_LONG_OVER)


def test_what_was_seen_raised_is_seen_resolved_however_long_its_month_is_over() -> None:
    (resolved,) = changed({REACHED: Standing(1, True)}, {}, instant("2026-07-01T00:00:00Z"))
    assert resolved.suppressed is None


def test_a_patient_who_left_before_the_month_is_not_at_risk() -> None:
    left = event(PatientDisenrolled(date(2025, 2, 10), "moved away"), five_pm("2025-02-10"))
    month = reckoned([*ready(MONTH), left, staff("t1", "2025-03-05", 600)], MONTH)
    assert to_raise(month, Policy(), instant("2025-03-30T04:00:00Z")) == {}


def test_time_that_would_earn_a_code_but_for_a_blocker_raises_each_blocker() -> None:
    base = [e for e in ready(MONTH) if "Consent" not in type(e.fact).__name__]
    missing = Watched(MONTH, AlertType.PREREQUISITE_MISSING, "consent-missing", 0)
    short = reckoned([*base, staff("t1", "2025-03-05", 800)], MONTH)
    enough = reckoned([*base, staff("t1", "2025-03-05", 1_200)], MONTH)
    assert missing not in to_raise(short, Policy(), IN_MONTH)
    assert to_raise(enough, Policy(), IN_MONTH)[missing] is None


def test_a_competing_service_is_a_conflict_whatever_the_time() -> None:
    day = date(2025, 3, 1)
    service = event(ServiceBilled("G0181", day, date(2025, 3, 31), "1000000004"), five_pm(day))
    conflict = Watched(MONTH, AlertType.CONFLICT_DETECTED, "competing-service", 0)
    assert to_raise(reckoned([*ready(MONTH), service], MONTH), Policy(), IN_MONTH) == {
        conflict: None
    }


def test_a_claim_whose_ground_is_gone_has_diverged_until_the_facts_are_restored() -> None:
    claimed = MonthClaimed(MONTH, (CodeUnits("99490", 1),), "c1", date(2025, 4, 2))
    events = [
        *ready(MONTH),
        staff("t1", "2025-03-05", 1_200),
        event(claimed, five_pm("2025-04-02")),
    ]
    diverged = Watched(MONTH, AlertType.CLAIM_DIVERGED, "", 0)
    late = instant("2025-05-01T12:00:00Z")
    assert diverged not in to_raise(reckoned(events, MONTH), Policy(), late)
    void = voided("t1", "2025-05-01T12:00:00Z")
    assert to_raise(reckoned([*events, void], MONTH), Policy(), late) == {diverged: None}
