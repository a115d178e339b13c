"""Single promises of an assessment that a case file does not reach."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from domain import facts as f
from domain.assess import assessments
from domain.assess.assessment import Family, Option, Payment
from domain.assess.families import day_reached, select
from domain.event import Event
from domain.policy import Policy
from domain.rules import BOOK
from domain.rules.services import code_range
from tests.given import (
    clocked,
    consent,
    event,
    five_pm,
    folded,
    mdm,
    ready,
    staff,
    then,
    visit,
)

MONTH = "2025-03"


def option(family: Family, dollars: str | None) -> Option:
    payment = None if dollars is None else Payment(Decimal(dollars), "USD", "test")
    return Option(family, (f.CodeUnits("99490", 1),), date(2025, 3, 31), payment)


class TestEveryMonthWithGround:
    def test_seconds_a_claim_or_decision_making_give_a_month_its_answer_in_order(self) -> None:
        claim = f.MonthClaimed("2025-01", (f.CodeUnits("99490", 1),), "c1", date(2025, 2, 3))
        patient = folded(
            [
                *ready("2025-01"),
                staff("t1", "2025-04-05", 1_200),
                mdm("2025-02"),
                event(claim, five_pm("2025-02-03")),
                staff("t2", "2025-03-05", 0),
            ]
        )
        found = assessments(patient, BOOK, Policy())
        assert [(a.month, a.status) for a in found] == [
            ("2025-01", "diverged"),
            ("2025-02", "accruing"),
            ("2025-04", "billable"),
        ]

    def test_the_policy_is_the_one_that_was_asked_with(self) -> None:
        patient = folded([*ready(MONTH), staff("t1", "2025-03-05", 1_200)])
        (at_month_end,) = assessments(patient, BOOK, Policy(date_of_service="month-end"))
        assert at_month_end.date_of_service == date(2025, 3, 31)


class TestSelection:
    def test_the_dearest_option_wins_and_of_equal_ones_the_earlier(self) -> None:
        highest = Policy(selection="highest-payment")
        low, high = option(Family.COMPLEX, "60.00"), option(Family.NON_COMPLEX, "61.00")
        assert select((low, high), highest) is high
        twin = replace(high, family=Family.PRACTITIONER)
        assert select((low, twin, high), highest) is twin

    @pytest.mark.parametrize("dollars", ["0.00", "0.50", "61.00"])
    def test_an_option_without_a_figure_never_beats_one_that_has_it(self, dollars: str) -> None:
        unknown, known = option(Family.COMPLEX, None), option(Family.NON_COMPLEX, dollars)
        assert select((unknown, known), Policy(selection="highest-payment")) is known

    def test_nothing_to_choose_from_selects_nothing(self) -> None:
        assert select((), Policy()) is None


class TestFirstDays:
    """The day of a consent or visit counts already, whatever else there is to look at."""

    STAY = f.StayRecorded("inpatient", date(2025, 3, 25), date(2025, 3, 26))

    @pytest.mark.parametrize("stays", [(), (event(STAY, five_pm("2025-03-25")),)])
    def test_time_on_the_day_of_the_consent_counts_and_before_it_does_not(
        self, stays: tuple[Event, ...]
    ) -> None:
        base = [e for e in ready(MONTH) if not isinstance(e.fact, f.ConsentRecorded)]
        logs = [staff("t1", "2025-03-09", 60), staff("t2", "2025-03-10", 600)]
        answer = then([*base, consent("2025-03-10"), *logs, *stays], MONTH)
        assert (answer.seconds.pooled, answer.excluded[0].reason) == (600, "before-consent")

    @pytest.mark.parametrize("stays", [(), (event(STAY, five_pm("2025-03-25")),)])
    def test_time_on_the_day_of_the_visit_counts_and_before_it_does_not(
        self, stays: tuple[Event, ...]
    ) -> None:
        base = [e for e in ready(MONTH) if not isinstance(e.fact, f.VisitRecorded)]
        logs = [staff("t1", "2025-03-09", 60), staff("t2", "2025-03-10", 600)]
        answer = then([*base, visit("2025-03-10"), *logs, *stays], MONTH)
        assert (answer.seconds.pooled, answer.excluded[0].reason) == (
            600,
            "before-initiating-visit",
        )

    def test_a_visit_on_the_last_day_of_the_month_is_in_time(self) -> None:
        base = [e for e in ready(MONTH) if not isinstance(e.fact, f.VisitRecorded)]
        assert then([*base, visit("2025-03-31")], MONTH).blockers == ()
        assert then([*base, visit("2025-04-01")], MONTH).blockers == ("initiating-visit-missing",)


class TestLateAfterAClaim:
    CLAIM = event(
        f.MonthClaimed(MONTH, (f.CodeUnits("99490", 1),), "c1", date(2025, 4, 10)),
        five_pm("2025-04-10"),
    )

    def warned(self, *events: Event) -> bool:
        base = [*ready(MONTH), staff("t1", "2025-03-05", 1_200), self.CLAIM]
        return "late-after-claim" in then([*base, *events], MONTH).warnings

    @pytest.mark.parametrize(
        ("start", "end", "warned"),
        [
            ("2025-02-28T23:00:00-05:00", "2025-03-01T00:00:00-05:00", False),
            ("2025-02-28T23:00:00-05:00", "2025-03-01T00:00:01-05:00", True),
            ("2025-03-31T23:59:59-04:00", "2025-04-01T00:30:00-04:00", True),
            ("2025-04-01T00:00:00-04:00", "2025-04-01T00:30:00-04:00", False),
        ],
    )
    def test_only_time_within_the_month_comes_late(
        self, start: str, end: str, warned: bool
    ) -> None:
        assert self.warned(clocked("t2", start, end, at="2025-05-01T12:00:00Z")) == warned

    def test_an_entry_that_was_withdrawn_never_came(self) -> None:
        log = event(staff("t2", "2025-03-06", 60).fact, "2025-05-01T12:00:00Z")
        gone = event(f.EventRetracted(*log.key, "entered in error"), "2025-05-02T12:00:00Z")
        assert self.warned(log)
        assert not self.warned(log, gone)


def test_an_answer_says_how_many_events_of_the_stream_it_rests_on() -> None:
    events = [*ready(MONTH), staff("t1", "2025-03-05", 60)]
    assert then(events, MONTH).stream_version == 7


def test_a_pool_that_never_reaches_a_threshold_is_an_error_not_a_date() -> None:
    with pytest.raises(ValueError, match="never reaches"):
        day_reached({date(2025, 3, 5): 1_199}, 1_200)


@pytest.mark.parametrize(
    ("on", "billable"),
    [("2019-02-28", False), ("2019-03-01", True), ("2019-03-31", True), ("2019-04-01", False)],
)
def test_until_2019_complex_care_needs_its_plan_worked_on_within_the_month(
    on: str, billable: bool
) -> None:
    plan = event(f.CarePlanRecorded("revised", date.fromisoformat(on)), five_pm(on))
    events = [*ready("2019-03"), plan, mdm("2019-03"), staff("t1", "2019-03-05", 3_600)]
    families = [o.family for o in then(events, "2019-03").options]
    assert (Family.COMPLEX in families) == billable


def test_a_range_of_codes_holds_both_ends_in_five_digits() -> None:
    assert code_range(99202, 99204) == {"99202", "99203", "99204"}
    assert code_range(98, 98) == {"00098"}
