"""The printed example: what is said of it on the page is what happens."""

from __future__ import annotations

from pathlib import Path

from tests.services.command import Command

ROOT = Path(__file__).parents[2]


def test_the_night_of_the_page(tmp_path: Path) -> None:
    command = Command(tmp_path)
    sites = {"CARETALLY_FHIR_SITES": str(ROOT / "examples" / "site-profile.toml")}
    ran = command("ingest", ROOT / "examples" / "night.hl7", **sites)
    said = "6 accepted, 0 duplicates without effect, 1 dead letters"
    assert (ran.code, said in ran.err) == (1, True), ran.err
    (answer,) = command("assessments").lines()
    assert (answer["patient_id"], answer["seconds"]["logged"]) == ("pt-8", 1_320)
    (letter,) = command("dead-letters", "list", "--json").lines()
    assert (letter["reason"], letter["field"]) == ("imprecise-date", "PV1-44")
    page = (ROOT / "docs" / "feeds-hl7v2.md").read_text("utf-8")
    assert letter["sentence"] in page
    assert said in page
