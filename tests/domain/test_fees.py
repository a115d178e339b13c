"""Dollars: every published amount comes out to the cent."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.assess.assessment import Payment
from domain.fees.figures import (
    CCM_CODES,
    FigureSet,
    LocalityAmount,
)
from domain.fees.gpci import GPCIS
from domain.fees.schedule import BUILT_IN
from tests.priced import MARCH_2025, amount_of, codes

DATA = Path(__file__).parents[1] / "data"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as lines:
        return list(csv.DictReader(lines))


def published_rates() -> list[dict[str, str]]:
    return [row for row in rows("rates_2019_2025.csv") if row["hcpcs"] in CCM_CODES]


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
