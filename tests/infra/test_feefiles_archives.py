"""Official archives, and whatever damage: read or refused, and the reader never breaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from infra.feefiles import Plausible, read_fee_files
from tests.feefiles import (
    ROWS_2026,
    gpci_csv,
    pfall_txt,
    pprrvu_csv,
    pprrvu_txt,
    write,
    write_zip,
)
from tests.infra.feereading import AMOUNTS, OPTIONS, one, read_or_refused, refused


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
