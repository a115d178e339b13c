"""Code sets propose which diagnoses might be chronic; the clinician's attestation alone decides."""

from __future__ import annotations

import csv
import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import infra.codesets.chronic as chronic
from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.clock import system_clock
from infra.codesets import counted_chronic_by
from infra.eventstore import open_store
from projections.ports import Store
from services.explain import explain_json, explain_stored, explain_text
from services.ingest import Delivery, Ingest
from tests.rows.test_changes_silent import chart
from tests.services.command import Command, command

__all__ = ["command"]

DAYS = date(2025, 3, 1), date(2025, 3, 31)
DATA = Path(chronic.__file__).with_name("chronic.csv")


def event(number: int, type: str, data: dict[str, Any]) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "s",
            "type": type,
            "practiceid": "p1",
            "subject": "pt1",
            "time": "2025-02-02T17:00:00Z",
            "data": data,
        }
    ).encode()


def recorded(code: str, attested: bool = False, **more: str) -> tuple[str, dict[str, Any]]:
    return "condition.recorded.v1", {"code": code, "chronic": attested, **more}


def facts(*conditions: tuple[str, dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """A chart with these conditions and half an hour of work."""
    work = {
        "entry_id": "t1",
        "performer": {"id": "rn1", "role": "clinical_staff"},
        "activity": "phone_call",
        "performed_on": "2025-03-03",
        "seconds": 1800,
    }
    rest = [fact for fact in chart() if fact[0] != "condition.recorded.v1"]
    late = {**work, "time": "2025-03-04T00:00:00Z"}
    del late["time"]
    return [*rest, *conditions, ("time.logged.v1", late)]


def stored(*conditions: tuple[str, dict[str, Any]]) -> Store:
    store = open_store("memory:")
    ingest = Ingest(store, system_clock, BOOK, lambda _: Policy())
    for number, (type, data) in enumerate(facts(*conditions)):
        raw = event(number, type, data).replace(b"2025-02-02", b"2025-03-09")
        outcome = ingest.take([Delivery(raw, None, (), "test:0")])
        assert outcome.accepted == 1, outcome
    return store


def explained(store: Store) -> Any:
    return explain_stored(store, BOOK, lambda _: Policy(), "p1", "pt1", "2025-03")


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("I10", ["cci-2019.1", "ccw-30-2022-02"]),
        ("E11.9", ["cci-2019.1", "ccw-30-2022-02"]),
        ("E119", ["cci-2019.1", "ccw-30-2022-02"]),
        ("M81.0", ["cci-2019.1", "ccw-30-2022-02"]),
        ("D75.81", ["cci-2019.1", "ccw-30-2022-02"]),
        ("J06.9", []),
        ("E11", []),
        ("Z85.3", []),
        ("I21.4", ["cci-2019.1"]),
        ("D50.9", ["ccw-30-2022-02"]),
        ("S72.001A", []),
        ("not a code", []),
    ],
)
def test_what_the_sets_say(code: str, names: list[str]) -> None:
    assert [each.name for each in counted_chronic_by(code, *DAYS)] == names


def test_a_set_holds_from_its_first_day_on() -> None:
    assert counted_chronic_by("I10", date(2015, 10, 1), date(2015, 10, 31))
    assert not counted_chronic_by("I10", date(2015, 9, 1), date(2015, 9, 30))


def test_the_data_has_codes_and_no_description_of_any() -> None:
    rows = list(csv.reader(DATA.read_text().splitlines()))
    assert {row[0] for row in rows} == {"set", "codes"}
    for _, name, first, last, title, source, licence, digest in (r for r in rows if r[0] == "set"):
        assert name
        assert date.fromisoformat(first)
        assert not last
        assert title
        assert source.startswith("https://")
        assert "public domain" in licence
        assert len(digest) == 64
    for _, _, category, codes in (r for r in rows if r[0] == "codes"):
        assert len(category) == 3
        assert all(c == "-" or (c.isalnum() and len(c) <= 4) for c in codes.split())


def test_recorded_diagnoses_are_proposed_where_chronic_conditions_are_missing() -> None:
    x = explained(stored(recorded("I10", True), recorded("E11.9"), recorded("J06.9")))
    assert x.assessment.blockers == ("conditions-fewer-than-two",)
    (hint,) = x.hints
    assert (hint.code, hint.sets) == ("E11.9", ("cci-2019.1", "ccw-30-2022-02"))
    text = " ".join(explain_text(x, color=False).split())
    assert "hint: E11.9 is on record and not attested as chronic" in text
    assert "The clinician decides." in text
    assert json.loads(explain_json(x))["hints"][0]["code"] == "E11.9"


@pytest.mark.parametrize(
    "conditions",
    [
        (recorded("I10", True), recorded("E11.9", True), recorded("J44.9")),
        (recorded("I10", True), recorded("J06.9")),
        (recorded("E11.9", True), recorded("E11.65")),
        (recorded("E11.9", onset_on="2025-04-02"),),
    ],
    ids=["none are missing", "no set names it", "its category is attested", "not yet there"],
)
def test_nothing_is_proposed_that_would_not_help(conditions: Any) -> None:
    assert explained(stored(*conditions)).hints == ()


def test_no_code_set_changes_a_byte_of_any_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers with the sets, with sets that count everything, and with none, over drawn charts."""
    draw = random.Random(7)
    codes = [f"{c}{n:02d}.{d}" for c in "EIJMNF" for n in (10, 11, 25, 44) for d in (0, 1, 9)]

    def everything(code: str, first: date, last: date) -> Any:
        del code, first, last
        return [chronic.CodeSet("all", "all", date(2000, 1, 1), None)]

    for _ in range(25):
        chosen = [recorded(draw.choice(codes), draw.random() < 0.3) for _ in range(4)]
        found = {data["code"]: (type, data) for type, data in chosen}
        store = stored(*found.values())
        answers = []
        for sets in (counted_chronic_by, everything, lambda *_: []):
            monkeypatch.setattr("services.explain.hints.counted_chronic_by", sets)
            answers.append((assessment_json(explained(store).assessment), [*store.assessments()]))
        assert answers[0] == answers[1] == answers[2]


def test_the_command_shows_them(command: Command) -> None:
    chosen = facts(recorded("I10", True), recorded("E11.9"))
    lines = [event(n, *fact).replace(b"2025-02-02", b"2025-03-09") for n, fact in enumerate(chosen)]
    command("ingest", command.file("e.jsonl", lines))
    ran = command("explain", "pt1", "2025-03")
    assert b"hint: E11.9 is on record and not attested as chronic" in ran.out
    assert command("explain", "pt1", "2025-03", "--json").lines()[0]["hints"]
