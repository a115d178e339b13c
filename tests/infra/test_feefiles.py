"""Official value files: each layout read to the figure, a damaged one refused with its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.fees.factors import FACTORS
from infra.feefiles import ReadOptions
from tests.feefiles import (
    ADD_ON_2025,
    COMPLEX_2025,
    ROWS_2025,
    ROWS_2026,
    STAFF_2025,
    VISIT,
    Units,
    gpci_csv,
    pfall_txt,
    pprrvu_csv,
    pprrvu_txt,
    write,
)
from tests.infra.feereading import AMOUNTS, OPTIONS, built_in_2025, one, refused


def test_the_csv_with_its_split_header_gives_the_published_figures(tmp_path: Path) -> None:
    fees = one(write(tmp_path, "PPRRVU2025_Oct.csv", pprrvu_csv()))
    assert (fees.kind, fees.year, fees.qp, fees.rows) == ("rvu", 2025, None, 5)
    assert set(fees.figures.rvus) == built_in_2025("99490", "99439", "99487")
    assert fees.figures.factors == tuple(f for f in FACTORS if f.first_day.year == 2025)
    assert fees.missing_codes == ("99491", "99437", "99489", "G0506", "G0511")


def test_the_fixed_width_form_gives_the_same_figures_as_the_csv(tmp_path: Path) -> None:
    as_csv = one(write(tmp_path, "PPRRVU25.csv", pprrvu_csv()))
    as_txt = one(write(tmp_path, "PPRRVU25.txt", pprrvu_txt()))
    assert as_txt.figures == as_csv.figures
    assert as_txt.figures.digest == as_csv.figures.digest


def test_what_the_file_is_called_does_not_matter_when_it_names_its_year(tmp_path: Path) -> None:
    assert one(write(tmp_path, "download.dat", pprrvu_csv())).year == 2025


def test_2026_files_know_whose_figures_they_are(tmp_path: Path) -> None:
    for mark, factor, qp in (("9", "33.4009", False), ("1", "33.5675", True)):
        text = pprrvu_csv(ROWS_2026, factor, 2026, pricing=mark)
        fees = one(write(tmp_path, f"file-{mark}.csv", text))
        assert fees.qp is qp
        assert {rvu.qp for rvu in fees.figures.rvus} == {qp}
        (found,) = fees.figures.factors
        assert (found.value, found.qp) == (Decimal(factor), qp)


def test_a_2026_file_that_does_not_say_whose_figures_asks(tmp_path: Path) -> None:
    path = write(tmp_path, "PPRRVU2026.csv", pprrvu_csv(ROWS_2026, "33.4009", 2026))
    assert "--qp" in str(refused(path))
    assert one(path, replace(OPTIONS, qp=True)).qp is True
    named = write(tmp_path, "PPRRVU2026_Jan_nonQPP.csv", path.read_text())
    assert one(named).qp is False


def test_the_option_cannot_overrule_the_files_own_mark(tmp_path: Path) -> None:
    text = pprrvu_csv(ROWS_2026, "33.4009", 2026, pricing="9")
    path = write(tmp_path, "PPRRVU2026_Jan_nonQPP.csv", text)
    assert "disagree" in str(refused(path, replace(OPTIONS, qp=True)))


@pytest.mark.parametrize(
    ("factor", "days"),
    [
        ("32.7442", (date(2024, 1, 1), date(2024, 3, 8))),
        ("33.2875", (date(2024, 3, 9), date(2024, 12, 31))),
    ],
)
def test_in_a_year_of_two_factors_the_factor_tells_its_days(
    tmp_path: Path, factor: str, days: tuple[date, date]
) -> None:
    fees = one(write(tmp_path, "PPRRVU24.csv", pprrvu_csv(ROWS_2025, factor, 2024)))
    (found,) = fees.figures.factors
    assert (found.first_day, found.last_day) == days
    assert {(r.first_day, r.last_day) for r in fees.figures.rvus} == {
        (date(2024, 1, 1), date(2024, 12, 31))
    }


def test_an_unknown_factor_in_such_a_year_asks_for_the_days(tmp_path: Path) -> None:
    path = write(tmp_path, "PPRRVU24.csv", pprrvu_csv(ROWS_2025, "33.0000", 2024))
    assert "which days" in str(refused(path))
    options = replace(OPTIONS, first_day=date(2024, 6, 1))
    (found,) = one(path, options).figures.factors
    assert (found.first_day, found.last_day) == (date(2024, 6, 1), date(2024, 12, 31))


def test_an_unfamiliar_factor_is_taken_and_noted(tmp_path: Path) -> None:
    fees = one(write(tmp_path, "PPRRVU25.csv", pprrvu_csv(ROWS_2025, "33.1111")))
    assert fees.figures.factors[0].value == Decimal("33.1111")
    assert any("differs" in note for note in fees.notes)


@pytest.mark.parametrize(("status", "total"), [("I", "1.42"), ("A", "0.00")])
def test_a_code_that_is_listed_but_not_payable_gives_no_figure(
    tmp_path: Path, status: str, total: str
) -> None:
    if total == "0.00":
        row = Units("99439", "0.00", "0.00", "0.00", "0.00", total, total, status)
    else:
        row = replace(ADD_ON_2025, status=status)
    fees = one(write(tmp_path, "PPRRVU25.csv", pprrvu_csv((STAFF_2025, row, VISIT))))
    assert {rvu.code for rvu in fees.figures.rvus} == {"99490"}
    assert "99439" in fees.missing_codes
    assert any("99439" in note for note in fees.notes)


def test_the_clinic_code_counts_though_it_stands_outside_the_schedule(tmp_path: Path) -> None:
    row = Units("G0511", "0.90", "0.72", "0.00", "0.07", "1.69", "0.97", status="X")
    fees = one(write(tmp_path, "PPRRVU25.csv", pprrvu_csv((STAFF_2025, row, VISIT))))
    assert {rvu.code for rvu in fees.figures.rvus} == {"99490", "G0511"}
    assert set(fees.figures.rvus) == built_in_2025("99490", "G0511")


def test_a_total_that_is_not_the_sum_names_line_column_and_both_values(tmp_path: Path) -> None:
    rows = (VISIT, replace(STAFF_2025, total_facility="1.58"), ADD_ON_2025)
    for name, text, column in (
        ("PPRRVU25.csv", pprrvu_csv(rows), "13 (facility total)"),
        ("PPRRVU25.txt", pprrvu_txt(rows), "97-102 (facility total)"),
    ):
        error = refused(write(tmp_path, name, text))
        assert (error.file, error.column) == (name, column)
        assert error.line == (10 if name.endswith("csv") else 3)
        assert "1.58" in error.problem
        assert "1.48" in error.problem


def test_totals_of_other_codes_that_do_not_add_up_mean_shifted_columns(tmp_path: Path) -> None:
    rows = (*ROWS_2025[:3], replace(VISIT, total_facility="9.99"))
    assert "columns are not where" in str(refused(write(tmp_path, "a25.csv", pprrvu_csv(rows))))


def test_a_cell_that_is_no_number_names_its_place(tmp_path: Path) -> None:
    rows = (STAFF_2025, replace(VISIT, mp="O.09"), ADD_ON_2025)
    error = refused(write(tmp_path, "PPRRVU25.csv", pprrvu_csv(rows)))
    assert (error.line, error.column) == (10, "11 (MP RVU)")
    assert "'O.09'" in error.problem


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-1.00", "1e999999999"])
def test_odd_spellings_of_numbers_are_refused(tmp_path: Path, value: str) -> None:
    rows = (replace(STAFF_2025, work=value), VISIT, ADD_ON_2025)
    refused(write(tmp_path, "PPRRVU25.csv", pprrvu_csv(rows)))


def test_two_conversion_factors_in_one_file_are_refused(tmp_path: Path) -> None:
    text = pprrvu_csv().replace("32.3465", "33.2875", 2).replace("33.2875", "32.3465", 1)
    error = refused(write(tmp_path, "PPRRVU25.csv", text))
    assert error.line == 10
    assert error.column == "25 (conversion factor)"


@pytest.mark.parametrize("factor", ["3.2347", "323.4650"])
def test_a_factor_that_no_fee_schedule_can_have_is_refused(tmp_path: Path, factor: str) -> None:
    error = refused(write(tmp_path, "PPRRVU25.csv", pprrvu_csv(ROWS_2025, factor)))
    assert (error.line, error.column) == (9, "25 (conversion factor)")


def test_a_blank_figure_of_a_wanted_code_is_never_taken_for_zero(tmp_path: Path) -> None:
    rows = (VISIT, replace(STAFF_2025, facility="", total_facility="1.06"), ADD_ON_2025)
    error = refused(write(tmp_path, "PPRRVU25.csv", pprrvu_csv(rows)))
    assert (error.line, error.column) == (10, "9 (facility PE RVU)")


def test_a_code_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "PPRRVU25.csv", pprrvu_csv((*ROWS_2025, STAFF_2025)))
    assert "99490 stands here a second time, first in line 9" in str(refused(path))


def test_a_code_with_a_modifier_is_another_row(tmp_path: Path) -> None:
    rows = (*ROWS_2025, replace(COMPLEX_2025, modifier="TC"))
    assert len(one(write(tmp_path, "PPRRVU25.csv", pprrvu_csv(rows))).figures.rvus) == 3


@pytest.mark.parametrize("cut", [30, 90, 200])
def test_a_csv_cut_off_inside_a_row_is_refused_with_its_line(tmp_path: Path, cut: int) -> None:
    whole = pprrvu_csv().rstrip("\r\n,")
    error = refused(write(tmp_path, "PPRRVU25.csv", whole[:-cut]))
    assert error.line in (11, 12, 13)
    assert "cut off" in error.problem


def test_a_fixed_width_file_cut_off_inside_a_record_is_refused(tmp_path: Path) -> None:
    error = refused(write(tmp_path, "PPRRVU25.txt", pprrvu_txt()[:-100]))
    assert error.line == 6
    assert "cut off" in error.problem


def test_a_file_with_too_few_rows_to_be_whole_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "PPRRVU25.csv", pprrvu_csv())
    assert "cut off" in str(refused(path, ReadOptions()))
    path = write(tmp_path, "GPCI2026.csv", gpci_csv())
    assert "cut off" in str(refused(path, ReadOptions()))
    path = write(tmp_path, "PFALL25A.txt", pfall_txt(AMOUNTS))
    assert "cut off" in str(refused(path, ReadOptions()))


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    text = pprrvu_csv().replace(",MP,", ",MQ,", 1)
    error = refused(write(tmp_path, "PPRRVU25.csv", text))
    assert "'MP RVU' is missing" in error.problem


def test_a_file_without_any_of_the_codes_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "PPRRVU25.csv", pprrvu_csv((VISIT,) * 3))
    assert "none of the codes" in str(refused(path))


@pytest.mark.parametrize("text", ["", "a,b,c\n1,2,3\n", "{}", "\x00\x01\x02" * 50])
def test_anything_else_is_not_recognised(tmp_path: Path, text: str) -> None:
    assert "not recognised" in str(refused(write(tmp_path, "x.csv", text)))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    assert "no such file" in str(refused(tmp_path / "nowhere.csv"))


def test_the_year_comes_from_the_name_where_the_content_has_none(tmp_path: Path) -> None:
    assert one(write(tmp_path, "PPRRVU25_OCT.txt", pprrvu_txt())).year == 2025
    nameless = write(tmp_path, "values.txt", pprrvu_txt())
    assert "--year" in str(refused(nameless))
    assert one(nameless, replace(OPTIONS, year=2025)).year == 2025


def test_a_year_that_contradicts_the_content_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "PPRRVU25.csv", pprrvu_csv())
    assert "2025" in str(refused(path, replace(OPTIONS, year=2024)))


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (date(2025, 7, 1), date(2025, 6, 30)),
        (date(2024, 12, 31), date(2025, 6, 30)),
        (date(2025, 7, 1), date(2026, 1, 1)),
    ],
)
def test_days_outside_the_files_year_are_refused(tmp_path: Path, first: date, last: date) -> None:
    path = write(tmp_path, "PPRRVU25.csv", pprrvu_csv())
    options = replace(OPTIONS, first_day=first, last_day=last)
    assert "2025" in str(refused(path, options))
