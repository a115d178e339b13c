"""Dollars of imported figures, and the exact sum whatever the figures."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.assess.assessment import Payment
from domain.fees.figures import (
    ConversionFactor,
    FigureSet,
    Gpci,
    LocalityAmount,
    Rvu,
)
from domain.fees.schedule import BUILT_IN, FeeSchedule
from tests.priced import amount_of, codes

YEAR_2026 = (date(2026, 1, 1), date(2026, 12, 31))
RVU_2026 = Rvu(
    "99439", *YEAR_2026, Decimal("0.70"), Decimal("0.76"), Decimal("0.17"), Decimal("0.05")
)


def test_imported_rvus_fill_a_gap_and_the_basis_names_the_import() -> None:
    figures = FigureSet(rvus=(RVU_2026,))
    schedule = BUILT_IN.with_figures(figures)
    payment = schedule.price(codes("99490 99439"), YEAR_2026[0], credential="MD")
    # 1.51 x 33.4009 = 50.435359
    basis = f"cms-2026-national-nonfacility+{figures.digest[:8]}"
    assert payment == Payment(Decimal("66.13") + Decimal("50.44"), "USD", basis)
    untouched = schedule.price(codes("99490"), YEAR_2026[0], credential="MD")
    assert untouched == BUILT_IN.price(codes("99490"), YEAR_2026[0], credential="MD")


def test_the_newest_import_wins_and_older_ones_fill_in() -> None:
    older = FigureSet(rvus=(RVU_2026,))
    newer = FigureSet(
        rvus=(replace(RVU_2026, code="99490"),),
        factors=(ConversionFactor(*YEAR_2026, Decimal("40"), qp=False),),
    )
    schedule = BUILT_IN.with_figures(older).with_figures(newer)
    payment = schedule.price(codes("99490 99439"), YEAR_2026[0], credential="MD")
    digests = sorted((older.digest[:8], newer.digest[:8]))
    basis = "+".join(("cms-2026-national-nonfacility", *digests))
    assert payment == Payment(2 * Decimal("60.40"), "USD", basis)
    assert payment == schedule.price(codes("99439 99490"), YEAR_2026[0], credential="MD")
    qualifying = schedule.price(codes("99439"), YEAR_2026[0], credential="MD", qp=True)
    assert qualifying is not None
    assert qualifying.amount == Decimal("50.69")


def test_an_imported_factor_alone_is_named_too() -> None:
    figures = FigureSet(factors=(ConversionFactor(*YEAR_2026, Decimal("40")),))
    payment = BUILT_IN.with_figures(figures).price(codes("99490"), YEAR_2026[0], credential="MD")
    # 1.98 x 40
    basis = f"cms-2026-national-nonfacility+{figures.digest[:8]}"
    assert payment == Payment(Decimal("79.20"), "USD", basis)


def test_figures_of_one_kind_of_practitioner_price_that_kind_only() -> None:
    """From 2026 on CMS publishes a file for each kind."""
    on = YEAR_2026[0]
    rvus = FigureSet(rvus=(RVU_2026, replace(RVU_2026, code="99487", qp=True)))
    schedule = BUILT_IN.with_figures(rvus)
    assert schedule.price(codes("99487"), on, credential="MD") is None
    assert schedule.price(codes("99487"), on, credential="MD", qp=True) is not None
    ready = LocalityAmount("07102-13", "99490", *YEAR_2026, Decimal(70), Decimal(60), qp=False)
    local = BUILT_IN.with_figures(FigureSet(amounts=(ready,)))
    plain = local.price(codes("99490"), on, credential="MD", locality="07102-13")
    assert plain is not None
    assert plain.amount == Decimal(70)
    assert local.price(codes("99490"), on, credential="MD", locality="07102-13", qp=True) is None


def test_an_imported_locality_table_prices_a_year_that_had_none() -> None:
    figures = FigureSet(
        gpcis=(Gpci("13202-01", *YEAR_2026, Decimal("1.1"), Decimal("1.2"), Decimal("1.5")),)
    )
    schedule = BUILT_IN.with_figures(figures)
    payment = schedule.price(codes("99490"), YEAR_2026[0], credential="MD", locality="13202-01")
    # (1.00 x 1.1 + 0.91 x 1.2 + 0.07 x 1.5) x 33.4009 = 76.7216...
    basis = f"cms-2026-13202-01-nonfacility+{figures.digest[:8]}"
    assert payment == Payment(Decimal("76.72"), "USD", basis)


def test_a_ready_locality_amount_comes_before_the_formula_and_before_the_reduction() -> None:
    figures = FigureSet(
        amounts=(
            LocalityAmount(
                "07102-13",
                "99490",
                date(2025, 1, 1),
                date(2025, 9, 30),
                Decimal("54.43"),
                Decimal("42.00"),
            ),
        )
    )
    schedule = BUILT_IN.with_figures(figures)

    def dollars(on: date, credential: str = "MD", setting: str = "nonfacility") -> str | None:
        unit = schedule.price(
            codes("99490"), on, credential=credential, setting=setting, locality="07102-13"
        )
        return amount_of(unit)

    assert dollars(date(2025, 9, 30)) == "54.43"
    ready = schedule.price(codes("99490"), date(2025, 9, 30), credential="MD", locality="07102-13")
    basis = f"cms-2025-07102-13-nonfacility+{figures.digest[:8]}"
    assert ready == Payment(Decimal("54.43"), "USD", basis)
    assert dollars(date(2025, 9, 30), setting="facility") == "42.00"
    assert dollars(date(2025, 9, 30), credential="PA") == "46.27"
    assert dollars(date(2025, 10, 1)) == "55.88"
    national = schedule.price(codes("99490"), date(2025, 9, 30), credential="MD")
    assert national == Payment(Decimal("60.49"), "USD", "cms-2025-national-nonfacility")


def test_a_ready_amount_of_whole_dollars_is_told_in_cents() -> None:
    ready = LocalityAmount("07102-13", "99490", *YEAR_2026, Decimal(70), Decimal(60))
    schedule = BUILT_IN.with_figures(FigureSet(amounts=(ready,)))
    payment = schedule.price(codes("99490"), YEAR_2026[0], credential="MD", locality="07102-13")
    assert amount_of(payment) == "70.00"


def test_the_digest_follows_the_figures_and_not_their_order_or_spelling() -> None:
    other = replace(RVU_2026, code="99491")
    one = FigureSet(rvus=(RVU_2026, other))
    two = FigureSet(rvus=(other, replace(RVU_2026, work=Decimal("0.7"))))
    assert one.digest == two.digest
    assert FigureSet(rvus=(replace(RVU_2026, work=Decimal("0.71")), other)).digest != one.digest
    assert BUILT_IN.with_figures(one).digest == BUILT_IN.with_figures(two).digest
    assert BUILT_IN.with_figures(one).digest != BUILT_IN.digest


def test_figures_keep_their_digest_for_ever() -> None:
    """A stored amount names its import by digest, so no release may change it."""
    figures = FigureSet(
        rvus=(replace(RVU_2026, pe_facility=None, qp=True),),
        factors=(ConversionFactor(*YEAR_2026, Decimal("100.0")),),
        gpcis=(Gpci("13202-01", *YEAR_2026, Decimal(1), Decimal("1.20"), Decimal("0.05")),),
        amounts=(LocalityAmount("13202-01", "99490", *YEAR_2026, Decimal("70"), Decimal("60.5")),),
    )
    assert figures.digest[:16] == "2c85b0e7131a8649"
    assert FeeSchedule((figures, FigureSet())).digest[:16] == "d6807bcb0972f739"


def test_a_schedule_travels_between_processes_whole() -> None:
    schedule = BUILT_IN.with_figures(FigureSet(rvus=(RVU_2026,)))
    copy = pickle.loads(pickle.dumps(schedule))
    assert copy == schedule
    assert copy.digest == schedule.digest
    assert copy.price(codes("99439"), YEAR_2026[0], credential="MD") == schedule.price(
        codes("99439"), YEAR_2026[0], credential="MD"
    )


def decimals(greatest: int, places: int) -> st.SearchStrategy[Decimal]:
    return st.integers(0, greatest).map(lambda n: Decimal(n).scaleb(-places))


def half_up_cents(dollars: Fraction) -> int:
    return (dollars * 100 + Fraction(1, 2)).__floor__()


@given(
    units=st.tuples(*[decimals(99_999, 2)] * 3),
    indices=st.tuples(*[decimals(5_000, 3)] * 3),
    factor=decimals(600_000, 4),
)
def test_any_amount_is_the_exact_sum_rounded_half_up_once_and_then_reduced(
    units: tuple[Decimal, ...], indices: tuple[Decimal, ...], factor: Decimal
) -> None:
    work, pe, mp = units
    schedule = FeeSchedule(
        (
            FigureSet(
                rvus=(Rvu("99490", *YEAR_2026, work, pe, None, mp),),
                factors=(ConversionFactor(*YEAR_2026, factor),),
                gpcis=(Gpci("13202-01", *YEAR_2026, *indices),),
            ),
        )
    )
    exact = sum(Fraction(u) * Fraction(i) for u, i in zip(units, indices, strict=True))
    cents = half_up_cents(exact * Fraction(factor))
    on = YEAR_2026[0]
    whole = schedule.price(codes("99490"), on, credential="MD", locality="13202-01")
    reduced = schedule.price(codes("99490"), on, credential="CNS", locality="13202-01")
    assert whole is not None
    assert reduced is not None
    assert whole.amount * 100 == cents
    assert reduced.amount * 100 == half_up_cents(Fraction(cents * 85, 10_000))
    assert whole.amount.as_tuple().exponent == -2
    assert reduced.amount.as_tuple().exponent == -2
    assert schedule.price(codes("99490"), on, credential="MD", setting="facility") is None
