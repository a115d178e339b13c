"""`caretally conformance` and `caretally fees`: what they print, and exit codes that tell."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.feefiles import ROWS_2026, pprrvu_csv, write
from tests.services.command import Command, command
from tests.services.test_ingest import chart, logged

__all__ = ["command"]

CODES = ("99490", "99439")

CASES = """
- id: X1
  title: twenty minutes
  authority: derived
  source: the rules
  month: 2025-03
  events:
  - time.logged: {entry_id: t1, performer: {id: rn1, role: clinical_staff},
                  activity: care_coordination, performed_on: 2025-03-05, seconds: 1200}
  expect: {codes: {"99490": 1}}
"""


@pytest.fixture
def cases(command: Command) -> Path:
    path = command.folder / "cases.yaml"
    path.write_text(CASES)
    return path


def test_cases_that_hold_end_well(command: Command, cases: Path) -> None:
    ran = command.start("conformance", "run", cases, "--json")
    assert (ran.code, ran.err) == (0, "")
    result, summary = ran.lines()
    assert (result["id"], result["passed"]) == ("X1", True)
    assert summary == {"summary": {"cases": 1, "passed": 1, "failed": 0}}


def test_a_case_that_fails_is_told_with_its_difference(command: Command, cases: Path) -> None:
    cases.write_text(CASES.replace("seconds: 1200", "seconds: 1199"))
    ran = command("conformance", "run", cases)
    assert ran.code == 1
    assert "FAIL X1" in ran.out.decode()
    assert ran.out.decode().endswith("1 cases, 0 passed, 1 failed\n")
    (result, summary) = command("conformance", "run", cases, "--json").lines()
    assert result["differences"] == [{"field": "codes", "expected": {"99490": 1}, "found": {}}]
    assert summary["summary"]["failed"] == 1


@pytest.mark.parametrize("content", ["- {id: X1}", "- [", "{}", "- {id: X1, id: X2}"])
def test_a_malformed_case_file_is_bad_input(command: Command, cases: Path, content: str) -> None:
    cases.write_text(content)
    ran = command("conformance", "run", cases)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith(f"error: {cases}")


def test_a_path_must_be_given_and_be_there(command: Command) -> None:
    assert command("conformance", "run").code == 2
    missing = command("conformance", "run", command.folder / "nowhere.yaml")
    assert (missing.code, "nowhere.yaml" in missing.err) == (2, True)


@pytest.fixture
def official(command: Command) -> Path:
    """A whole file by its size: the rows that matter among ten thousand that do not."""
    text = pprrvu_csv(ROWS_2026, "33.4009", 2026, pricing="9")
    row = next(line for line in text.splitlines() if line.startswith("99490"))
    filler = (f"Z{n:04d}{row[5:]}" for n in range(10_000))
    body = "\n".join([text.rstrip("\n"), *filler, ""])
    return write(command.folder, "PPRRVU2026_Jan_nonQPP.csv", body)


def test_imported_fees_price_answers_and_are_listed(command: Command, official: Path) -> None:
    events = [e.replace(b"2025-", b"2026-") for e in (*chart(), logged("t1", 2_400))]
    file = command.file("a.jsonl", events)
    before = command("replay", file).lines()[0]
    ran = command.start("fees", "import", official, "--json")
    assert ran.code == 0, ran.err
    (imported,) = ran.lines()
    assert (imported["kind"], imported["year"], imported["qp"]) == ("rvu", 2026, False)
    assert command("fees", "list", "--json").lines() == [imported]
    assert Path(imported["path"]).is_relative_to(command.folder / "caretally-data" / "fees")
    after = command("replay", file).lines()[0]
    assert after["codes"] == before["codes"] == [{"code": c, "units": 1} for c in CODES]
    assert before["payment"] is None
    assert after["payment"]["currency"] == "USD"
    page = command("fees", "list").out.decode()
    assert page.startswith("rvu 2026 for all others, 2026-01-01 to 2026-12-31")


def test_the_days_of_an_import_can_be_narrowed(command: Command, official: Path) -> None:
    ran = command("fees", "import", official, "--from", "2026-07-01", "--json")
    (imported,) = ran.lines()
    assert (imported["first_day"], imported["last_day"]) == ("2026-07-01", "2026-12-31")
    narrowed = command("fees", "import", official, "--through", "2026-06-30", "--json").lines()[0]
    assert (narrowed["first_day"], narrowed["last_day"]) == ("2026-01-01", "2026-06-30")


def test_an_import_that_was_replaced_is_marked(command: Command, official: Path) -> None:
    command("fees", "import", official)
    official.write_text(official.read_text().replace("33.4009", "33.5009"))
    command("fees", "import", official)
    listed = command("fees", "list", "--json").lines()
    assert [one["superseded"] for one in listed] == [True, False]
    assert "replaced by a newer import" in command("fees", "list").out.decode().splitlines()[0]


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["{official}", "--qp"], "contradiction"),
        (["{official}", "--year", "2025"], "--year says 2025"),
        (["{official}", "--from", "July"], "--from: expected YYYY-MM-DD"),
        (["{official}", "--through", "2026-02-30"], "--through: expected YYYY-MM-DD"),
        (["{official}", "--from", "2025-07-01"], "is not a span of days inside 2026"),
        (["{official}", "{folder}/nowhere.csv"], "nowhere.csv: no such file"),
        (["{official}", "{folder}/a.txt"], "a.txt: not recognised"),
        ([], "Missing argument"),
    ],
)
def test_what_cannot_be_imported_is_bad_input_and_nothing_is_kept(
    command: Command, official: Path, args: list[str], sentence: str
) -> None:
    (command.folder / "a.txt").write_text("hello")
    ran = command(
        "fees", "import", *(a.format(official=official, folder=command.folder) for a in args)
    )
    assert (ran.code, ran.out) == (2, b"")
    assert sentence in ran.err
    assert command("fees", "list").out == b""


def test_damaged_imports_are_told_and_stop_what_needs_them(
    command: Command, official: Path
) -> None:
    command("fees", "import", official)
    (kept,) = (command.folder / "caretally-data" / "fees").glob("*.json")
    kept.write_text(json.dumps({"no": "fees"}))
    for args in (["fees", "list"], ["fees", "import", official], ["assessments"]):
        ran = command(*args)
        assert (ran.code, ran.out) == (2, b"")
        assert kept.name in ran.err
