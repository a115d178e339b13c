"""Official files of localities: indices and priced amounts, read to the figure or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from domain.fees.figures import CCM_CODES
from domain.fees.gpci import GPCIS
from tests.feefiles import (
    LOCALITIES,
    gpci_csv,
    pfall_txt,
    write,
)
from tests.infra.feereading import AMOUNTS, OPTIONS, one, refused


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
