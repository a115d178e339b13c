"""Dollars: nothing is guessed where a figure is missing; every day has its factor."""

from __future__ import annotations

import decimal
import itertools
from datetime import date
from decimal import Decimal

import pytest

from domain.assess.assessment import Payment
from domain.fees.schedule import BUILT_IN, FeeSchedule
from tests.priced import MARCH_2025, codes


@pytest.mark.parametrize(
    ("code", "day", "setting"),
    [
        ("99490", "2018-12-31", "nonfacility"),
        ("99439", "2020-12-31", "nonfacility"),
        ("G2058", "2021-01-01", "nonfacility"),
        ("99439", "2026-01-01", "nonfacility"),
        ("99489", "2026-01-01", "facility"),
        ("99490", "2027-01-01", "nonfacility"),
        ("99999", "2025-01-01", "nonfacility"),
    ],
)
def test_a_missing_figure_gives_no_amount(code: str, day: str, setting: str) -> None:
    on = date.fromisoformat(day)
    assert BUILT_IN.price(codes(code), on, credential="MD", setting=setting) is None


def test_one_code_without_an_amount_leaves_the_whole_sum_unknown() -> None:
    january = date(2026, 1, 31)
    assert BUILT_IN.price(codes("99490"), january, credential="MD") is not None
    assert BUILT_IN.price(codes("99490 99439"), january, credential="MD") is None


def test_no_codes_have_no_price() -> None:
    assert BUILT_IN.price((), MARCH_2025, credential="MD") is None


@pytest.mark.parametrize(
    ("code", "setting", "plain", "qualifying"),
    [
        ("99490", "nonfacility", "66.13", "66.46"),
        ("99490", "facility", "43.76", "43.97"),
        ("99437", "nonfacility", "63.13", "63.44"),
        ("99489", "nonfacility", "78.16", "78.55"),
    ],
)
def test_2026_has_two_kinds_of_amount(code: str, setting: str, plain: str, qualifying: str) -> None:
    on = date(2026, 2, 3)
    one = BUILT_IN.price(codes(code), on, credential="MD", setting=setting)
    two = BUILT_IN.price(codes(code), on, credential="MD", setting=setting, qp=True)
    assert one == Payment(Decimal(plain), "USD", f"cms-2026-national-{setting}")
    assert two == Payment(Decimal(qualifying), "USD", f"cms-2026-qp-national-{setting}")


def test_before_2026_there_is_one_factor_and_qp_changes_nothing() -> None:
    plain = BUILT_IN.price(codes("99490"), MARCH_2025, credential="MD")
    assert BUILT_IN.price(codes("99490"), MARCH_2025, credential="MD", qp=True) == plain


@pytest.mark.parametrize(
    ("day", "factor"),
    [
        ("2015-01-01", "35.7547"),
        ("2015-06-30", "35.7547"),
        ("2015-07-01", "35.9335"),
        ("2016-02-29", "35.8043"),
        ("2017-12-31", "35.8887"),
        ("2018-01-01", "35.9996"),
    ],
)
def test_conversion_factors_before_the_first_rvus(day: str, factor: str) -> None:
    found = BUILT_IN.lookup.factor(date.fromisoformat(day), qp=False)
    assert found is not None
    assert str(found.figure.value) == factor


def test_every_day_from_2015_to_2026_has_exactly_one_factor_of_each_kind() -> None:
    for qp in (False, True):
        spans = sorted(
            (f.first_day, f.last_day) for f in BUILT_IN.layers[0].factors if f.qp in (None, qp)
        )
        assert spans[0][0] == date(2015, 1, 1)
        assert spans[-1][1] == date(2026, 12, 31)
        for (_, last), (first, _) in itertools.pairwise(spans):
            assert (first - last).days == 1


def test_the_amount_does_not_depend_on_ambient_decimal_settings() -> None:
    fresh = FeeSchedule(BUILT_IN.layers)
    with decimal.localcontext() as context:
        context.prec = 3
        context.rounding = decimal.ROUND_DOWN
        payment = fresh.price(codes("99487 99489x2"), MARCH_2025, credential="NP")
    assert payment == BUILT_IN.price(codes("99487 99489x2"), MARCH_2025, credential="NP")
