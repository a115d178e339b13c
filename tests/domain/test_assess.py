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
from domain.policy import Policy
from domain.rules import BOOK
from domain.rules.services import code_range
from tests.given import event, five_pm, folded, mdm, ready, staff, then

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
