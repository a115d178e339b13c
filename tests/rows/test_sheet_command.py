"""Spreadsheets from the command line: taken, refused with line and column, rehearsed, resumed."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from infra.eventstore import open_store
from projections.ports import Store
from tests.rows.test_sheets import HEAD, ONE
from tests.services.command import Command

EXAMPLES = Path(__file__).parents[2] / "examples"
MAPPING, SHEET = EXAMPLES / "timer.toml", EXAMPLES / "timer.csv"

PLAIN = """
name = "t"
source = "https://t.example"
practice = "p1"
timezone = "America/New_York"
[rows]
key = ["No"]
patient = { column = "MRN"%s }
[[rows.events]]
type = "time.logged.v1"
[rows.events.members]
"performer.id" = { column = "Staff" }
"performer.role" = { value = "clinical_staff" }
activity = { column = "Task" }
performed_on = { column = "Date", date = "%%m/%%d/%%Y" }
seconds = { column = "Minutes", duration = "minutes" }
"""


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    path = tmp_path / "t.toml"
    path.write_text(PLAIN % "")
    return path


def sheet(folder: Path, *rows: str, name: str = "march.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([HEAD, *rows]) + "\n")
    return path


def everything(store: Store) -> tuple[object, ...]:
    return store.counts(), store.head(), list(store.assessments()), len(store.dead_letters())


def test_the_example_is_taken_once_whatever_happens_to_it(command: Command, store: Store) -> None:
    first = command("ingest", "--mapping", MAPPING, SHEET)
    assert (first.code, first.err) == (
        0,
        "4 accepted, 0 duplicates without effect, 0 dead letters, 1 unchanged or left out\n",
    )
    packed = command.folder / "again.csv.gz"
    packed.write_bytes(gzip.compress(SHEET.read_bytes()))
    again = command("ingest", "--mapping", MAPPING, packed, "--json")
    assert again.lines()[0]["accepted"] == 0
    assert again.lines()[0]["ignored"] == 5
    months = {row["patient_id"]: row for row in command("assessments").lines()}
    assert {id: row["seconds"]["logged"] for id, row in months.items()} == {"pt1": 1830, "pt2": 900}
    assert store.head() == 4


def test_every_row_that_is_refused_is_told_with_its_line_and_column(
    command: Command, store: Store, plain: Path
) -> None:
    rows = [ONE, ONE.replace("10", "ten"), ONE.replace("3/5", "30/5"), ONE.replace("Ann", "")]
    keyed = [row.replace("7,", f"{n},", 1) for n, row in enumerate(rows)]
    keyed += ["9,pt1,Ann,call,3/5/2025,1500,Final", "10,pt1,Ann,call,3/5/2025,10"]
    ran = command("ingest", "--mapping", plain, sheet(command.folder, *keyed))
    assert ran.code == 1
    told = [(fault["line"], fault["field"], fault["reason"]) for fault in ran.faults()]
    assert told == [
        (3, "Minutes", "invalid-member"),
        (4, "Date", "invalid-member"),
        (5, "Staff", "missing-member"),
        (6, "Minutes", "entry-too-long"),
        (7, "row", "invalid-member"),
    ]
    for fault in ran.faults():
        where = f"line {fault['line']}, {fault['field']}: "
        assert fault["sentence"].startswith(where)
        assert fault["file"] == "march.csv"
    assert [letter.origin for letter in store.dead_letters()] == [
        f"file:march.csv:{line}" for line in range(3, 8)
    ]
    assert store.head() == 1


def test_a_grown_sheet_adds_and_a_changed_one_corrects_once_it_is_dated(
    command: Command, store: Store, plain: Path
) -> None:
    command("ingest", "--mapping", plain, sheet(command.folder, ONE))
    grown = sheet(command.folder, ONE, ONE.replace("7,", "8,", 1))
    assert command("ingest", "--mapping", plain, grown).code == 0
    assert store.head() == 2
    changed = sheet(command.folder, ONE.replace("10", "15"))
    ran = command("ingest", "--mapping", plain, changed)
    assert (ran.code, ran.faults()[0]["reason"]) == (1, "conflicting-duplicate")
    dated = ("--exported-at", "2025-04-01T08:00:00-04:00")
    assert command("ingest", "--mapping", plain, changed, *dated).code == 0
    (answer,) = command("assessments").lines()
    assert answer["seconds"]["logged"] == 1500
    letters = command("dead-letters", "replay", "--all", CARETALLY_MAPPINGS=str(plain))
    assert letters.err.startswith("1 taken")


def test_a_dry_run_says_what_would_happen_and_changes_nothing(
    command: Command, store: Store, plain: Path
) -> None:
    command("ingest", "--mapping", plain, sheet(command.folder, ONE))
    before = everything(store)
    rows = [ONE.replace("10", "15"), ONE.replace("7,", "8,", 1), ONE.replace("7,pt1", ",")]
    march, dated = sheet(command.folder, *rows), ("--exported-at", "2025-04-01T08:00:00-04:00")
    ran = command("ingest", "--mapping", plain, march, *dated, "--dry-run", "--json")
    said = ran.lines()[0]
    assert (ran.code, said["accepted"], said["dead_lettered"]) == (1, 2, 1)
    assert said["events"] == {"time.amended.v1": 1, "time.logged.v1": 1}
    assert "nothing was changed" in ran.err
    assert [fault["line"] for fault in ran.faults()] == [4]
    assert everything(store) == before
    real = command("ingest", "--mapping", plain, march, *dated, "--json").lines()[0]
    assert {k: real[k] for k in ("accepted", "dead_lettered", "ignored")} == {
        k: said[k] for k in ("accepted", "dead_lettered", "ignored")
    }


def test_a_dry_run_knows_in_the_second_file_what_the_first_would_do(
    command: Command, plain: Path
) -> None:
    first = sheet(command.folder, ONE)
    second = sheet(command.folder, ONE, ONE.replace("7,", "8,", 1), name="april.csv")
    ran = command("ingest", "--mapping", plain, first, second, "--dry-run", "--json")
    assert (ran.lines()[0]["accepted"], ran.lines()[0]["ignored"]) == (2, 1)


def test_a_file_that_cannot_be_read_is_refused_before_any_of_them_is_taken(
    command: Command, store: Store, plain: Path
) -> None:
    good = sheet(command.folder, ONE)
    bad = sheet(command.folder, '8,"pt1', name="bad.csv")
    ran = command("ingest", "--mapping", plain, good, bad)
    assert (ran.code, store.head()) == (2, 0)
    assert "bad.csv: line 2: a quote is opened" in ran.err


def test_a_row_of_an_unknown_patient_waits_for_the_link(
    command: Command, store: Store, plain: Path
) -> None:
    plain.write_text(PLAIN % ', subject = "linked", system = "urn:mrn"')
    ran = command("ingest", "--mapping", plain, sheet(command.folder, ONE))
    assert [fault["reason"] for fault in ran.faults()] == ["unknown-patient"]
    linked = {
        "specversion": "1.0",
        "id": "l1",
        "source": "s",
        "type": "identity.linked.v1",
        "practiceid": "p1",
        "subject": "someone",
        "time": "2025-03-01T00:00:00Z",
        "data": {"system": "urn:mrn", "value": "pt1"},
    }
    links = command.file("links.jsonl", [json.dumps(linked).encode()])
    ran = command("ingest", links, CARETALLY_MAPPINGS=str(plain))
    assert "1 that had waited for an identity were taken" in ran.err
    assert [row["patient_id"] for row in command("assessments").lines()] == ["someone"]
    assert [letter.replayed_at_us is None for letter in store.dead_letters()] == [False]


def test_a_roster_becomes_enrolments_consents_and_conditions(command: Command) -> None:
    roster = command.folder / "roster.csv"
    shutil.copy(EXAMPLES / "roster.csv", roster)
    ran = command("ingest", "--mapping", EXAMPLES / "roster.toml", roster)
    assert (ran.code, ran.err) == (
        0,
        "9 accepted, 0 duplicates without effect, 0 dead letters\n",
    )
    command("ingest", "--mapping", MAPPING, SHEET)
    months = {row["patient_id"]: row for row in command("assessments").lines()}
    assert months["pt1"]["blockers"] == ["care-plan-missing"]
    assert months["pt2"]["blockers"] == ["care-plan-missing", "conditions-fewer-than-two"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("march.csv",), "needs --mapping"),
        (("march.csv", "--mapping", "none.toml"), "cannot be read"),
        (("march.csv", "--mapping", "t.toml", "--format", "fhir"), "expected without --format"),
        (("march.csv", "--mapping", "t.toml", "--exported-at", "today"), "--exported-at: expected"),
        (("m.jsonl", "--exported-at", "2025-04-01T08:00:00Z"), "expected with --mapping"),
    ],
)
def test_options_that_do_not_fit_are_told(
    options: tuple[str, ...], words: str, command: Command, plain: Path
) -> None:
    sheet(command.folder, ONE)
    (command.folder / "m.jsonl").write_text("")
    here = {"march.csv", "m.jsonl", "t.toml", "none.toml"}
    ran = command("ingest", *[command.folder / o if o in here else o for o in options])
    assert ran.code == 2
    assert words in ran.err
    assert not plain.is_dir()


def test_a_person_at_a_terminal_sees_how_far_it_is(command: Command) -> None:
    assert "timer.csv" in command.on_terminal("ingest", "--mapping", MAPPING, SHEET)
    assert open_store(command.database).head() == 4


def test_several_processes_for_a_spreadsheet_are_refused_not_ignored(
    command: Command, store: Store
) -> None:
    """One row may speak of the next, so one process takes all of it."""
    refused = command("ingest", "--mapping", MAPPING, SHEET, "--processes", 2)
    assert refused.code == 2
    assert "--processes: " in refused.err
    assert "expected 0 or 1" in refused.err
    assert store.counts()["events"] == 0
    assert command("ingest", "--mapping", MAPPING, SHEET, "--processes", 1).code == 0
