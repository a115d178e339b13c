"""FHIR files from the command line: Bulk Data and bundles, resumed, as history, released."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infra.eventstore import open_store
from services.doors.fhir_files import documents_of
from services.doors.files import ingest_file
from services.doors.lines import DamagedFile
from services.translate.marks import marked
from tests.fhir.linking import link
from tests.fhir.made import Fed, chart, raw, task
from tests.services.command import Command

DATA = Path(__file__).parents[1] / "data" / "fhir"
PROFILE = """
name = "river"
source = "https://ehr.example/fhir"
practice = "p1"
timezone = "America/New_York"
without_last_updated = "clinical-time"
[patients]
subject = "{subject}"
[[practitioners]]
npi = "1000000004"
credential = "MD"
references = ["Practitioner/md1"]
[[staff]]
id = "rn1"
role = "clinical_staff"
references = ["Practitioner/rn1"]
[enrolment]
types = ["https://ehr.example/codes|ccm"]
[consents.codes]
"https://ehr.example/codes|ccm-consent" = "written"
[conditions]
chronic = ["http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"]
without_icd10 = "ignore"
[visits.codes]
"http://snomed.info/sct|185345009" = "99214"
[time.tasks]
"https://ehr.example/codes|ccm-call" = {{ activity = "phone_call" }}
"""


class Ingesting(Command):
    """The command with a site profile in its folder."""

    def __init__(self, folder: Path, subject: str = "id") -> None:
        super().__init__(folder)
        self.profile = folder / "river.toml"
        self.profile.write_text(PROFILE.format(subject=subject))

    def fhir(self, *args: object) -> Any:
        return self("ingest", "--format", "fhir", *args, CARETALLY_FHIR_SITES=str(self.profile))


def ndjson(path: Path, *resources: Any) -> Path:
    path.write_bytes(b"".join(raw(resource) + b"\n" for resource in resources))
    return path


def test_bulk_data_becomes_a_billable_month(tmp_path: Path) -> None:
    command = Ingesting(tmp_path)
    ran = command.fhir(ndjson(tmp_path / "bulk.ndjson", *chart(), task()), "--json")
    assert (ran.code, ran.lines()[0]["accepted"]) == (0, 7)
    (answer,) = command("assessments").lines()
    assert (answer["status"], answer["seconds"]["logged"]) == ("billable", 1_200)
    again = command.fhir(tmp_path / "bulk.ndjson")
    assert "went on after line 7" in again.err


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("packed", [True, False])
def test_a_bundle_file_is_taken_entry_by_entry(
    tmp_path: Path, indent: int | None, packed: bool
) -> None:
    entries = [{"resource": each} for each in [*chart(), task(), {"resourceType": "Task"}]]
    text = json.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": entries}, indent=indent
    )
    file = tmp_path / "bundle.json"
    file.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    command = Ingesting(tmp_path)
    ran = command.fhir(file, "--backfill")
    assert "7 accepted" in ran.err
    assert "1 with nothing of ours" in ran.err or ran.code == 1
    with_store = open_store(command.database)
    assert {row.suppressed for row in with_store.transitions(0, 9)} == {"history"}
    with_store.close()


def test_a_file_that_was_begun_goes_on_after_the_last_entry(tmp_path: Path) -> None:
    fed = Fed(open_store(f"sqlite:///{tmp_path}/care.db"))
    entries = [{"resource": task(f"t{n}", minutes=5)} for n in range(9)]
    file = tmp_path / "bundle.json"
    file.write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    stops = iter((3, 6))

    class Killed(Exception):
        pass

    def killed(line: int) -> None:
        if line >= next(stops, 99):
            raise Killed

    marks = marked("river")
    for _ in range(2):
        with pytest.raises(Killed):
            ingest_file(fed.ingest, fed.store, file, 3, killed, False, marks, documents_of)
    done = ingest_file(fed.ingest, fed.store, file, 3, None, False, marks, documents_of)
    assert (done.resumed_after, done.lines, done.accepted) == (6, 9, 3)
    assert len(fed.events()) == 9
    fed.store.close()


def test_letters_tell_the_entry_and_keep_its_bytes(tmp_path: Path) -> None:
    odd = task(owner=None)
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": odd}]}
    (tmp_path / "b.json").write_text(json.dumps(bundle, indent=1))
    command = Ingesting(tmp_path)
    assert command.fhir(tmp_path / "b.json").code == 1
    (letter,) = command("dead-letters", "list", "--json").lines()
    assert (letter["reason"], letter["field"]) == ("unknown-person", "owner")
    assert letter["origin"] == "file:b.json:1#0"
    shown = command("dead-letters", "show", "1", "--raw")
    assert json.loads(shown.out) == odd


def test_what_waited_for_an_identity_is_taken_with_the_file_that_brings_it(tmp_path: Path) -> None:
    command = Ingesting(tmp_path, "linked")
    assert command.fhir(ndjson(tmp_path / "bulk.ndjson", *chart(), task())).code == 1
    (tmp_path / "links.jsonl").write_bytes(link() + b"\n")
    ran = command("ingest", tmp_path / "links.jsonl", CARETALLY_FHIR_SITES=str(command.profile))
    assert "7 that had waited for an identity were taken" in ran.err
    assert command("assessments").lines()[0]["patient_id"] == "ours-1"
    assert command("dead-letters", "list").out == b""


def test_a_letter_is_put_in_again_by_hand_after_the_profile_was_mended(tmp_path: Path) -> None:
    command = Ingesting(tmp_path)
    text = command.profile.read_text()
    command.profile.write_text(text.replace("Practitioner/rn1", "Practitioner/other"))
    assert command.fhir(ndjson(tmp_path / "bulk.ndjson", task())).code == 1
    command.profile.write_text(text)
    sites = {"CARETALLY_FHIR_SITES": str(command.profile)}
    ran = command("dead-letters", "replay", "--reason", "unknown-person", **sites)
    assert "1 taken, 0 refused again" in ran.err


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--site", "hill"), "--site: expected one of river; found 'hill'"),
        (("--format", "events", "--site", "x"), "--site: expected with FHIR and HL7 v2 files only"),
    ],
)
def test_a_site_that_is_none_is_refused(tmp_path: Path, args: tuple[str, ...], words: str) -> None:
    command = Ingesting(tmp_path)
    ran = command.fhir(ndjson(tmp_path / "x.ndjson", task()), *args)
    assert (ran.code, words in ran.err) == (2, True)


def test_without_a_profile_there_is_no_fhir_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    command = Ingesting(tmp_path)
    file = ndjson(tmp_path / "x.ndjson", task())
    ran = command("ingest", "--format", "fhir", file)
    assert (ran.code, "set CARETALLY_FHIR_SITES" in ran.err) == (2, True)
    command.profile.write_text("name = 7")
    ran = command.fhir(file)
    assert ran.code != 0
    assert "river.toml: name" in ran.err


@pytest.mark.parametrize(
    "text", [b"{", b"[1,2]", b"\xff\xfe", b'{"resourceType":"Bundle"}', b"7\n8"]
)
def test_a_file_of_something_else_is_told_and_not_lost(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "x.json").write_bytes(text)
    command = Ingesting(tmp_path)
    ran = command.fhir(tmp_path / "x.json")
    counted = "1 with nothing of ours" in ran.err
    assert counted or command("dead-letters", "list").out


def test_a_damaged_bundle_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(b'{\n"a":1}')[:-9])
    with (tmp_path / "x.json.gz").open("rb") as file, pytest.raises(DamagedFile):
        list(documents_of(file, tmp_path / "x.json.gz"))


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b"\n\n")
    with (tmp_path / "x.json").open("rb") as file:
        assert [line.text for line in documents_of(file, tmp_path) if line.text] == []


def test_synthetic_patients_that_nobody_here_made_up_end_as_events_review_or_counted(
    tmp_path: Path,
) -> None:
    command = Ingesting(tmp_path)
    codes = '[conditions.icd10]\n"http://snomed.info/sct|38341003" = "I10"\n'
    codes += '"http://snomed.info/sct|88805009" = "I50.9"\n[visits.codes]'
    people = 'references = ["Practitioner/md1", "urn:uuid:9b2564fd-1e47-420a-bded-387234070ef3", '
    people += '"urn:uuid:63003abb-3924-46df-a75a-0a1f42733189"]'
    text = command.profile.read_text().replace("[visits.codes]", codes)
    command.profile.write_text(text.replace('references = ["Practitioner/md1"]', people))
    ran = command.fhir(DATA / "one_patient.ndjson", DATA / "another_patient.json", "--json")
    (told,) = ran.lines()
    lines = len((DATA / "one_patient.ndjson").read_text().splitlines())
    lines += len(json.loads((DATA / "another_patient.json").read_text())["entry"])
    store = open_store(command.database)
    kinds = Counter(event.name for event in store.log(0, 1_000))
    letters = Counter(letter.reason for letter in store.dead_letters())
    store.close()
    assert kinds == {
        "stay.recorded.v1": 2,
        "patient.died.v1": 1,
        "visit.recorded.v1": 7,
        "condition.recorded.v1": 2,
    }
    assert kinds.total() + letters.total() + told["ignored"] == lines
