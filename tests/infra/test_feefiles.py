"""Official files: each layout is read to the figure, a damaged file is refused with its place."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.fees.factors import FACTORS
from domain.fees.figures import CCM_CODES
from domain.fees.gpci import GPCIS
from domain.fees.rvus import RVUS
from infra.feefiles import FeeFile, FeeFileError, Plausible, ReadOptions, read_fee_files
from tests.feefiles import (
    ADD_ON_2025,
    COMPLEX_2025,
    LOCALITIES,
    ROWS_2025,
    ROWS_2026,
    SMALL,
    STAFF_2025,
    VISIT,
    Units,
    gpci_csv,
    pfall_txt,
    pprrvu_csv,
    pprrvu_txt,
    write,
    write_zip,
)

OPTIONS = ReadOptions(least=SMALL)
AMOUNTS = {
    "99213": ("90.88", "66.00"),
    "99490": ("60.49", "47.87"),
    "99491": ("82.16", "72.46"),
    "71046/26": ("9.00", "9.00"),
}


def one(path: Path, options: ReadOptions = OPTIONS) -> FeeFile:
    (fees,) = read_fee_files(path, options)
    return fees


def refused(path: Path, options: ReadOptions = OPTIONS) -> FeeFileError:
    with pytest.raises(FeeFileError) as caught:
        read_fee_files(path, options)
    return caught.value


def read_or_refused(path: Path) -> list[FeeFile] | str:
    try:
        return read_fee_files(path, OPTIONS)
    except FeeFileError as error:
        return str(error)


def built_in_2025(*codes: str) -> set[object]:
    return {rvu for rvu in RVUS if rvu.first_day.year == 2025 and rvu.code in codes}


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


def test_localities_get_their_leading_zeros_back(tmp_path: Path) -> None:
    fees = one(write(tmp_path, "GPCI2026.csv", gpci_csv(year=2025)))
    assert (fees.kind, fees.year, fees.rows) == ("gpci", 2025, 3)
    by_key = {g.locality: (g.work, g.pe, g.mp) for g in GPCIS}
    found = {g.locality: (g.work, g.pe, g.mp) for g in fees.figures.gpcis}
    assert set(found) == {"10112-00", "02102-01", "13202-01"}
    assert found == {key: by_key[key] for key in found}


def test_a_locality_file_without_a_state_column_is_read_alike(tmp_path: Path) -> None:
    rows = [[row[0], *row[2:]] for row in LOCALITIES]
    header = (
        "Medicare Administrative Contractor,Locality Number,Locality Name,"
        "{year} PW GPCI (with 1.0 Floor),{year} PE GPCI,{year} MP GPCI"
    )
    without = one(write(tmp_path, "a.csv", gpci_csv(rows, header=header)))
    assert without.figures == one(write(tmp_path, "b.csv", gpci_csv())).figures


def test_of_two_work_indices_the_floored_one_is_taken_unless_told_otherwise(
    tmp_path: Path,
) -> None:
    rows = [[*row[:4], "0.955", *row[4:]] for row in LOCALITIES]
    header = (
        "Medicare Administrative Contractor (MAC),State,Locality Number,Locality Name,"
        "{year} PW GPCI (without 1.0 Floor),{year} PW GPCI (with 1.0 Floor),"
        "{year} PE GPCI,{year} MP GPCI"
    )
    path = write(tmp_path, "GPCI2026.csv", gpci_csv(rows, header=header))
    assert [str(g.work) for g in one(path).figures.gpcis] == ["1", "1.5", "1.065"]
    unfloored = one(path, replace(OPTIONS, work_floor=False))
    assert [str(g.work) for g in unfloored.figures.gpcis] == ["0.955"] * 3
    floored_only = write(tmp_path, "b.csv", gpci_csv())
    assert "without the 1.0 floor" in str(refused(floored_only, replace(OPTIONS, work_floor=False)))


@pytest.mark.parametrize(
    ("at", "value", "column"),
    [
        (4, "abc", "5 (2026 PW GPCI (WITH 1.0 FLOOR)***)"),
        (5, "", "6 (2026 PE GPCI)"),
        (6, "50", "7 (2026 MP GPCI)"),
        (0, "1x", "1 (mac)"),
        (2, "123", "3 (locality)"),
    ],
)
def test_a_damaged_locality_row_names_its_place(
    tmp_path: Path, at: int, value: str, column: str
) -> None:
    damaged = list(LOCALITIES[1])
    damaged[at] = value
    path = write(tmp_path, "GPCI2026.csv", gpci_csv((LOCALITIES[0], damaged, LOCALITIES[2])))
    error = refused(path)
    assert (error.line, error.column) == (5, column)


def test_a_locality_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "GPCI2026.csv", gpci_csv((*LOCALITIES, LOCALITIES[0])))
    assert "10112-00 stands here a second time" in str(refused(path))


def test_the_years_of_the_locality_header_count_before_the_titles(tmp_path: Path) -> None:
    text = gpci_csv().replace("FINAL CY 2026", "FINAL CY 2025")
    assert one(write(tmp_path, "a.csv", text)).year == 2026


def test_a_priced_row_with_a_modifier_is_another_row(tmp_path: Path) -> None:
    path = write(tmp_path, "PFALL25A.txt", pfall_txt(AMOUNTS | {"99490/26": ("1.00", "1.00")}))
    found = {a.nonfacility for a in one(path).figures.amounts if a.code == "99490"}
    assert found == {Decimal("60.49")}


def test_priced_amounts_are_read_by_locality_and_code(tmp_path: Path) -> None:
    fees = one(write(tmp_path, "PFALL25A.txt", pfall_txt(AMOUNTS)))
    assert (fees.kind, fees.year, fees.rows, fees.notes) == ("pfall", 2025, 12, ())
    found = {(a.locality, a.code): (a.nonfacility, a.facility) for a in fees.figures.amounts}
    assert len(found) == 6
    assert found["02102-01", "99490"] == (Decimal("60.49"), Decimal("47.87"))
    assert {(a.first_day, a.last_day) for a in fees.figures.amounts} == {
        (date(2025, 1, 1), date(2025, 12, 31))
    }
    assert set(fees.missing_codes) == set(CCM_CODES) - {"99490", "99491"}


def test_priced_amounts_of_a_year_with_two_factors_ask_for_the_days(tmp_path: Path) -> None:
    path = write(tmp_path, "PFALL24A.txt", pfall_txt(AMOUNTS, year=2024))
    assert "2024-03-09" in str(refused(path))
    fees = one(path, replace(OPTIONS, last_day=date(2024, 3, 8)))
    assert {a.last_day for a in fees.figures.amounts} == {date(2024, 3, 8)}


def test_a_priced_code_that_lacks_a_locality_means_lost_rows(tmp_path: Path) -> None:
    lines = pfall_txt(AMOUNTS).split("\r\n")
    del lines[5]
    error = refused(write(tmp_path, "PFALL25A.txt", "\r\n".join(lines)))
    assert "99490 is missing in 1 of 3 localities (02102-01)" in error.problem


def test_an_amount_of_zero_is_not_a_price(tmp_path: Path) -> None:
    text = pfall_txt(AMOUNTS | {"99487": ("0.00", "0.00")})
    fees = one(write(tmp_path, "PFALL25A.txt", text))
    assert "99487" not in {amount.code for amount in fees.figures.amounts}
    assert "99487" in fees.missing_codes


@pytest.mark.parametrize(
    ("old", "new", "line", "where"),
    [
        ('"0000060.49"', '"00000xx.49"', 2, "35-44 (non-facility fee)"),
        ('"2025","02102"', '"2024","02102"', 5, "2-5 (year)"),
        ('"13202","01","99490"', '"1320x","01","99490"', 10, "9-18 (carrier and locality)"),
        ('","', '";"', 1, None),
    ],
)
def test_a_damaged_priced_record_names_its_place(
    tmp_path: Path, old: str, new: str, line: int, where: str | None
) -> None:
    text = pfall_txt(AMOUNTS)
    whole = text.split("\r\n")
    whole[line - 1] = whole[line - 1].replace(old, new, 1)
    if where is None:
        whole[0], whole[1] = whole[1], whole[0]
        line = 2
    error = refused(write(tmp_path, "PFALL25A.txt", "\r\n".join(whole)))
    assert (error.line, error.column) == (line, where)


def test_a_priced_file_without_its_trailer_is_noted(tmp_path: Path) -> None:
    fees = one(write(tmp_path, "PFALL25A.txt", pfall_txt(AMOUNTS, trailer=False)))
    assert any("TRL" in note for note in fees.notes)


def release_2026() -> dict[str, str]:
    return {
        "RVU26A.docx": "X",
        "PPRRVU2026_Jan_nonQPP.csv": pprrvu_csv(ROWS_2026, "33.4009", 2026, pricing="9"),
        "PPRRVU2026_Jan_QPP.csv": pprrvu_csv(ROWS_2026, "33.5675", 2026, pricing="1"),
        "PPRRVU2026_Jan_nonQPP.txt": "never read",
        "GPCI2026.csv": gpci_csv(),
        "26LOCCO.csv": "Locality Number,Counties\r\n",
        "ANES2026.csv": "X",
    }


def test_a_release_archive_gives_both_kinds_and_the_localities(tmp_path: Path) -> None:
    found = read_fee_files(write_zip(tmp_path, "rvu26a.zip", release_2026()), OPTIONS)
    assert [(fees.name, fees.kind, fees.qp) for fees in found] == [
        ("rvu26a.zip:PPRRVU2026_Jan_QPP.csv", "rvu", True),
        ("rvu26a.zip:PPRRVU2026_Jan_nonQPP.csv", "rvu", False),
        ("rvu26a.zip:GPCI2026.csv", "gpci", None),
    ]


def test_of_an_archive_with_both_kinds_one_can_be_asked_for(tmp_path: Path) -> None:
    path = write_zip(tmp_path, "rvu26a.zip", release_2026())
    found = read_fee_files(path, replace(OPTIONS, qp=False))
    assert [fees.qp for fees in found] == [False, None]


def test_without_a_csv_the_archives_fixed_width_member_is_taken(tmp_path: Path) -> None:
    members = {"sub/PPRRVU25_OCT.txt": pprrvu_txt(), "readme.pdf": "X"}
    fees = one(write_zip(tmp_path, "rvu25d.zip", members))
    assert (fees.name, fees.year) == ("rvu25d.zip:PPRRVU25_OCT.txt", 2025)


def test_an_archive_without_any_official_file_lists_what_it_holds(tmp_path: Path) -> None:
    error = refused(write_zip(tmp_path, "other.zip", {"notes.txt": "X"}))
    assert "notes.txt" in error.problem


def test_an_archive_with_two_unmarked_files_asks_to_unpack_one(tmp_path: Path) -> None:
    members = {"PPRRVU25_A.csv": pprrvu_csv(), "PPRRVU25_B.csv": pprrvu_csv()}
    assert "unpack one" in str(refused(write_zip(tmp_path, "both.zip", members)))


def test_a_spreadsheet_is_refused_with_what_to_give_instead(tmp_path: Path) -> None:
    error = refused(write_zip(tmp_path, "PPRRVU25.xlsx", {"xl/workbook.xml": "X"}))
    assert ".csv" in error.problem


def test_a_member_too_large_to_be_official_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path, "rvu25d.zip", {"PPRRVU25.csv": pprrvu_csv()})
    monkeypatch.setattr("infra.feefiles.sources.MAX_BYTES", 1000)
    assert "larger than 1000 bytes" in str(refused(path))
    plain = write(tmp_path, "PPRRVU25.csv", pprrvu_csv())
    assert "larger than 1000 bytes" in str(refused(plain))


def test_a_damaged_archive_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = write_zip(tmp_path, "rvu25d.zip", {"PPRRVU25.csv": pprrvu_csv()})
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    error = refused(path)
    assert error.file.startswith("rvu25d.zip")
    assert "damaged" in error.problem


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.99])
def test_an_archive_cut_off_is_said_to_be_cut_off(tmp_path: Path, kept: float) -> None:
    path = write_zip(tmp_path, "rvu25d.zip", {"PPRRVU25.csv": pprrvu_csv()})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    assert "cut off" in str(refused(path))


def test_the_members_own_name_counts_before_the_archives(tmp_path: Path) -> None:
    members = {"PPRRVU2026_QPP.csv": pprrvu_csv(ROWS_2026, "33.5675", 2026)}
    assert one(write_zip(tmp_path, "nonQPP-and-QPP.zip", members)).qp is True


def test_characters_outside_ascii_do_no_harm(tmp_path: Path) -> None:
    text = pprrvu_csv().replace(",X,", ",\u2019\u00e9,")
    path = tmp_path / "PPRRVU25.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode("cp1252").replace(b"\xe9", b"\x81"))
    assert len(one(path).figures.rvus) == 3


def test_how_many_rows_make_a_file_whole_can_be_set(tmp_path: Path) -> None:
    path = write(tmp_path, "PPRRVU25.csv", pprrvu_csv())
    assert "cut off" in str(refused(path, replace(OPTIONS, least=Plausible(rvu_rows=6))))
    assert one(path, replace(OPTIONS, least=Plausible(rvu_rows=5))).rows == 5


WHOLE = {
    "PPRRVU25.csv": pprrvu_csv().encode(),
    "PPRRVU25.txt": pprrvu_txt().encode(),
    "GPCI2026.csv": gpci_csv().encode(),
    "PFALL25A.txt": pfall_txt(AMOUNTS).encode(),
}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    name=st.sampled_from(sorted([*WHOLE, "rvu25d.zip"])),
    place=st.floats(0, 1),
    lost=st.integers(0, 40),
    put=st.binary(max_size=6),
)
def test_whatever_the_damage_a_file_is_read_or_refused_and_never_breaks_the_reader(
    tmp_path: Path, name: str, place: float, lost: int, put: bytes
) -> None:
    path = tmp_path / name
    if name == "rvu25d.zip":
        write_zip(tmp_path, name, {"PPRRVU25.csv": pprrvu_csv()})
    else:
        path.write_bytes(WHOLE[name])
    content = path.read_bytes()
    at = int(place * len(content))
    path.write_bytes(content[:at] + put + content[at + lost :])
    outcome = read_or_refused(path)
    if isinstance(outcome, str):
        assert outcome.startswith(name)
    else:
        assert outcome
        assert all(fees.rows >= 3 for fees in outcome)
