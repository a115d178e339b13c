"""Spreadsheets as they are saved: encodings, delimiters, quotes, gzip; wrong ones refused whole."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.sheets.reading import SheetError, SheetReader, Survey
from tests.rows.made import mapping, rows
from tests.thoroughness import examples

HEAD = "No,MRN,Staff,Task,Date,Minutes,Status"
ONE = "7,pt1,Ann,call,3/5/2025,10,Final"


def read(raw: bytes, folder: Path, key: bool = True, **sheet: Any) -> list[dict[str, Any]]:
    path = folder / "s.csv"
    path.write_bytes(raw)
    reader = SheetReader(mapping(rows() if key else rows(key=[]), sheet=sheet))
    with path.open("rb") as file:
        found = [json.loads(line.text) for line in reader.lines(file, path)]
    assert reader.survey(path) == Survey(len(found), found[-1]["line"] if found else 0)
    return found


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("cp1252", "cp1252"), ("utf-16", "utf-16")],
)
@pytest.mark.parametrize("packed", [False, True])
def test_encodings(encoding: str, named: Any, packed: bool, tmp_path: Path) -> None:
    raw = f"{HEAD}\r\n{ONE.replace('Ann', 'Renée')}\r\n".encode(encoding)
    (row,) = read(gzip.compress(raw) if packed else raw, tmp_path, encoding=named)
    assert (row["line"], row["cells"]["No"], row["cells"]["Staff"]) == (2, "7", "Renée")


def test_lines_are_counted_as_an_editor_shows_them(tmp_path: Path) -> None:
    text = f'title\n\n{HEAD},Notes\n\n{ONE},"two\nlines, and ""quotes"""\n,,,,,,,\n{ONE},\n'
    found = read(text.encode(), tmp_path, header_line=2)
    assert [row["line"] for row in found] == [5, 8]
    assert found[0]["cells"]["Notes"] == 'two\nlines, and "quotes"'


def test_other_delimiters_and_excel_s_own_first_line(tmp_path: Path) -> None:
    text = f"sep=;\n{HEAD}\n{ONE}\n".replace(",", ";")
    (row,) = read(text.encode(), tmp_path, delimiter=";")
    assert (row["line"], row["cells"]["Minutes"]) == (3, "10")


def test_columns_without_a_name_or_with_one_of_two_are_kept_apart(tmp_path: Path) -> None:
    (row,) = read(f"{HEAD},Notes,Notes,\n{ONE},a,b,c\n".encode(), tmp_path)
    assert {"Notes": "a", "Notes (9)": "b", "column (10)": "c"}.items() <= row["cells"].items()


def test_a_row_of_another_length_is_kept_as_it_is(tmp_path: Path) -> None:
    (row,) = read(f"{HEAD}\n{ONE},too,many\n".encode(), tmp_path)
    assert (row["columns"], len(row["cells"])) == (7, 9)


def test_rows_with_the_same_cells_are_counted_where_there_is_no_key(tmp_path: Path) -> None:
    text = f"{HEAD}\n{ONE}\n{ONE.replace('7', '8')}\n{ONE}\n{ONE}\n".encode()
    found = read(text, tmp_path, key=False)
    assert [(row.get("same_as", 0), row.get("nth", 1)) for row in found] == [
        (0, 1),
        (0, 1),
        (2, 2),
        (2, 3),
    ]
    assert not any("same_as" in row for row in read(text, tmp_path))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "line 1: expected the header; found none"),
        (b"\n\n", "expected the header; found none"),
        (b"No,MRN\n1,2\n", "line 1: expected the column 'Date'; found 'No', 'MRN'"),
        (f"{HEAD},No\n".encode(), "expected the column 'No' once"),
        (f'{HEAD}\n{ONE}\n8,"pt1\nAnn\n'.encode(), "line 3: a quote is opened"),
        (f'{HEAD}\n8,"pt1"x,Ann\n'.encode(), "line 2: expected cells in quotes"),
        (b"PK\x03\x04 and so on", "is an Excel workbook"),
        (HEAD.encode("utf-16"), "found a file in utf-16"),
        (gzip.compress(HEAD.encode())[:-9], "is damaged"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    raw: bytes, words: str, tmp_path: Path
) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes(raw)
    with pytest.raises(SheetError, match=r"s\.csv") as caught:
        SheetReader(mapping()).survey(path)
    assert words in str(caught.value)


def test_bytes_of_another_encoding_matter_only_in_columns_that_are_used(tmp_path: Path) -> None:
    (row,) = read(f"{HEAD},Notes\n{ONE},".encode() + b"caf\xe9\n", tmp_path)
    assert row["cells"]["Notes"] == "caf\ufffd"


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@settings(max_examples=examples(200))
@given(st.lists(st.lists(CELL, min_size=7, max_size=7), max_size=6))
def test_whatever_is_in_the_cells_comes_out_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
) -> None:
    out = io.StringIO()
    csv.writer(out).writerows([HEAD.split(","), *cells])
    found = read(out.getvalue().encode(), tmp_path_factory.mktemp("s"))
    wanted = [each for each in cells if any(map(str.strip, each))]
    assert [list(row["cells"].values()) for row in found] == wanted
