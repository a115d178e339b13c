"""Dollars: every published amount comes out to the cent, and nothing is guessed."""

from __future__ import annotations

import csv
import decimal
import itertools
import pickle
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assess.assessment import Payment
from domain.facts import CodeUnits
from domain.fees.figures import (
    CCM_CODES,
    ConversionFactor,
    FigureSet,
    Gpci,
    LocalityAmount,
    Rvu,
)
from domain.fees.gpci import GPCIS
from domain.fees.schedule import BUILT_IN, FeeSchedule

DATA = Path(__file__).parents[1] / "data"
MARCH_2025 = date(2025, 3, 21)


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as lines:
        return list(csv.DictReader(lines))


def published_rates() -> list[dict[str, str]]:
    return [row for row in rows("rates_2019_2025.csv") if row["hcpcs"] in CCM_CODES]


def codes(spec: str) -> tuple[CodeUnits, ...]:
    """`99490 99439x2` as codes with units."""
    parts = (part.partition("x") for part in spec.split())
    return tuple(CodeUnits(code, int(units or 1)) for code, _, units in parts)


def amount_of(unit: Payment | None) -> str | None:
    return None if unit is None else str(unit.amount)


@pytest.mark.parametrize(
    "row", published_rates(), ids=lambda row: f"{row['period']}-{row['hcpcs']}"
)
def test_every_published_national_amount_is_met_to_the_cent(row: dict[str, str]) -> None:
    for day in (date.fromisoformat(row["dos_from"]), date.fromisoformat(row["dos_to"])):
        for setting, column in (("nonfacility", "national_nonfac"), ("facility", "national_fac")):
            unit = BUILT_IN.price(codes(row["hcpcs"]), day, credential="MD", setting=setting)
            assert amount_of(unit) == row[column]
            assert unit is not None
            assert unit.basis == f"cms-{day.year}-national-{setting}"


def test_the_published_file_covers_all_nine_codes_from_2019_to_2025() -> None:
    covered = {(row["period"], row["hcpcs"]) for row in published_rates()}
    assert len(covered) == 60
    assert {code for _, code in covered} == set(CCM_CODES)


@pytest.mark.parametrize(
    ("spec", "day", "dollars"),
    [
        ("99490 G2058x2", "2020-06-30", "118.00"),
        ("99490 99439", "2025-03-21", "106.42"),
        ("99490 99439x2", "2025-03-21", "152.35"),
        ("99487", "2025-03-21", "131.65"),
        ("99487 99489", "2025-03-21", "202.17"),
        ("99490", "2024-03-08", "61.56"),
        ("99490", "2024-03-09", "62.58"),
    ],
)
def test_known_worked_amounts(spec: str, day: str, dollars: str) -> None:
    on = date.fromisoformat(day)
    expected = Payment(Decimal(dollars), "USD", f"cms-{on.year}-national-nonfacility")
    payment = BUILT_IN.price(codes(spec), on, credential="MD")
    assert payment == expected
    assert str(payment.amount) == dollars


def test_facility_setting_takes_the_facility_practice_expense() -> None:
    payment = BUILT_IN.price(
        codes("99490 99439x2"), MARCH_2025, credential="MD", setting="facility"
    )
    assert payment == Payment(Decimal("113.85"), "USD", "cms-2025-national-facility")


@pytest.mark.parametrize("credential", ["NP", "PA", "CNS"])
def test_reduced_credentials_get_85_percent_of_each_rounded_unit(credential: str) -> None:
    one = BUILT_IN.price(codes("99490"), MARCH_2025, credential=credential)
    assert one == Payment(Decimal("51.42"), "USD", "cms-2025-national-nonfacility-85pct")
    # 45.93 x 0.85 = 39.0405: two units are 78.08, as each is rounded before they are added.
    three = BUILT_IN.price(codes("99490 99439x2"), MARCH_2025, credential=credential)
    assert three is not None
    assert three.amount == Decimal("51.42") + 2 * Decimal("39.04")


def test_85_percent_ending_in_half_a_cent_rounds_up() -> None:
    # 62.70 x 0.85 = 53.295
    figures = FigureSet(
        amounts=(
            LocalityAmount(
                "13202-01",
                "99490",
                date(2025, 1, 1),
                date(2025, 12, 31),
                Decimal("62.70"),
                Decimal("50.10"),
            ),
        )
    )
    schedule = BUILT_IN.with_figures(figures)
    for setting, expected in (("nonfacility", "53.30"), ("facility", "42.59")):
        unit = schedule.price(
            codes("99490"), MARCH_2025, credential="NP", locality="13202-01", setting=setting
        )
        assert amount_of(unit) == expected


@pytest.mark.parametrize("credential", ["MD", "DO", "CNM"])
def test_physicians_and_nurse_midwives_get_the_whole_amount(credential: str) -> None:
    unit = BUILT_IN.price(codes("99490"), MARCH_2025, credential=credential)
    assert amount_of(unit) == "60.49"


@pytest.mark.parametrize("credential", ["RN", "LCSW", "", "md"])
def test_a_credential_that_may_not_bill_has_no_amount(credential: str) -> None:
    assert BUILT_IN.price(codes("99490"), MARCH_2025, credential=credential) is None
    assert BUILT_IN.price(codes("99490"), MARCH_2025, credential=credential) is None


@pytest.mark.parametrize("kind", ["rhc", "fqhc"])
@pytest.mark.parametrize("credential", ["MD", "NP", "RN"])
def test_clinics_get_the_national_nonfacility_amount_whoever_and_wherever(
    kind: str, credential: str
) -> None:
    payment = BUILT_IN.price(
        codes("G0511"),
        date(2024, 5, 2),
        credential=credential,
        setting="facility",
        provider_kind=kind,
        locality="13202-01",
    )
    assert payment == Payment(Decimal("72.90"), "USD", "cms-2024-national-nonfacility")


LOCAL_99490 = [
    ("07102-13", "57.68"),
    ("05202-00", "58.97"),
    ("10112-00", "58.06"),
    ("07302-00", "58.05"),
    ("03302-01", "61.46"),
    ("13202-01", "70.75"),
    ("01112-05", "75.51"),
    ("01182-18", "68.49"),
    ("06102-16", "65.81"),
    ("09102-04", "66.80"),
    ("02102-01", "80.46"),
    ("09202-20", "62.73"),
]


@pytest.mark.parametrize(("locality", "dollars"), LOCAL_99490)
def test_99490_by_locality_on_the_day_the_2024_factor_changed(locality: str, dollars: str) -> None:
    payment = BUILT_IN.price(codes("99490"), date(2024, 3, 9), credential="MD", locality=locality)
    assert payment == Payment(Decimal(dollars), "USD", f"cms-2024-{locality}-nonfacility")


@pytest.mark.parametrize(
    ("locality", "setting", "day", "dollars"),
    [
        ("13202-01", "facility", "2024-03-09", "55.61"),
        ("02102-01", "facility", "2024-03-09", "66.42"),
        ("07102-13", "nonfacility", "2025-06-01", "55.88"),
        ("05202-00", "nonfacility", "2025-06-01", "57.13"),
        ("13202-01", "nonfacility", "2025-06-01", "68.21"),
        ("01112-05", "nonfacility", "2025-06-01", "73.24"),
    ],
)
def test_locality_facility_and_2025_amounts(
    locality: str, setting: str, day: str, dollars: str
) -> None:
    unit = BUILT_IN.price(
        codes("99490"),
        date.fromisoformat(day),
        credential="MD",
        setting=setting,
        locality=locality,
    )
    assert amount_of(unit) == dollars


def test_the_locality_table_is_the_published_one_cell_by_cell() -> None:
    published = {
        f"{row['mac']}-{row['locality_number']}": (
            Decimal(row["gpci_work"]),
            Decimal(row["gpci_pe"]),
            Decimal(row["gpci_mp"]),
        )
        for row in rows("gpci_2024.csv")
    }
    assert len(published) == 109
    assert {g.locality: (g.work, g.pe, g.mp) for g in GPCIS} == published
    assert {(g.first_day, g.last_day) for g in GPCIS} == {(date(2024, 1, 1), date(2025, 12, 31))}


@pytest.mark.parametrize(
    ("locality", "day"),
    [("13202-01", "2023-12-31"), ("13202-01", "2026-01-01"), ("99999-01", "2025-03-21")],
)
def test_an_unknown_locality_or_year_is_never_priced_as_national(locality: str, day: str) -> None:
    unit = BUILT_IN.price(
        codes("99490"), date.fromisoformat(day), credential="MD", locality=locality
    )
    assert unit is None


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
