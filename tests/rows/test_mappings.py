"""Mapping files: whole and right before a row is read, every fault by its member."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from infra.settings import Settings
from services.rows.files import MappingError, read_mapping, read_mappings
from services.rows.mapping import Member
from services.rows.targets import MAPPABLE, faults_of, targets_of
from services.wire.models import DATA_OF_TYPE
from tests.rows.made import MEMBERS, mapping, rows

EXAMPLES = Path(__file__).parents[2] / "examples"

PLAIN = """
name = "t"
source = "https://t.example"
practice = "p1"
timezone = "America/New_York"
[rows]
key = ["No"]
patient = { column = "MRN" }
[[rows.events]]
type = "patient.died.v1"
members = { died_on = { column = "Died", date = "iso" } }
"""


@pytest.fixture
def written(tmp_path: Path) -> Any:
    def write(text: str, name: str = "m.toml") -> Path:
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_the_examples_can_be_used() -> None:
    assert set(read_mappings(",".join(map(str, sorted(EXAMPLES.glob("t*.toml")))))) >= {
        "river-timer"
    }


def test_a_folder_and_a_file_that_is_named_twice(written: Any) -> None:
    path = written(PLAIN)
    assert list(read_mappings(f"{path.parent}, {path}")) == ["t"]
    written(PLAIN, "other.toml")
    with pytest.raises(MappingError, match="expected another in each mapping"):
        read_mappings(str(path.parent))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('key = ["No"]', 'kee = ["No"]', "rows.kee is not known in a mapping"),
        ('practice = "p1"', "", "practice is missing"),
        ("America/New_York", "Mars/Olympus", "timezone: expected|timezone: an IANA"),
        ('"iso"', '"%d/%m"', "does not say year, month and day"),
        ("died_on", "dyed_on", "members.dyed_on: not a member of patient.died.v1"),
        ("patient.died.v1", "patient.dyed.v1", "expected one of care_plan.recorded.v1"),
        ('{ column = "Died", date = "iso" }', '{ column = "Died" }', "expected date, by which"),
        ('{ column = "Died", date = "iso" }', '{ date = "iso" }', "one of column, columns and"),
        ('{ column = "MRN" }', '{ column = "MRN", subject = "linked" }', "system: expected"),
        ('name = "t"', "name = 5", "name: "),
        ("[rows]", "[rows", "expected TOML"),
    ],
)
def test_a_fault_names_file_and_member(written: Any, old: str, new: str, words: str) -> None:
    path = written(PLAIN.replace(old, new))
    with pytest.raises(MappingError, match=words) as caught:
        read_mapping(path)
    assert all(line.startswith(str(path)) for line in str(caught.value).splitlines())


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read"):
        read_mapping(tmp_path / "none.toml")


def test_every_event_type_but_corrections_and_lists_can_be_mapped() -> None:
    assert set(DATA_OF_TYPE) - set(MAPPABLE) == {
        "time.amended.v1",
        "time.voided.v1",
        "event.retracted.v1",
        "month.claimed.v1",
    }
    assert "billing_practitioner.npi" in targets_of("patient.enrolled.v1")
    assert "entry_id" not in targets_of("time.logged.v1")


@pytest.mark.parametrize(
    ("path", "member", "words"),
    [
        ("seconds", {"column": "Minutes"}, "expected duration"),
        ("seconds", {"value": "60"}, "expected duration"),
        ("performer.outside_us", {"column": "Abroad"}, "true or false"),
        ("activity", {"column": "Task", "date": "iso"}, "is not how"),
        ("activity", {"column": "Task", "values": {"x": True}}, "expected a string"),
        ("started_at", {"column": "S", "instant": "iso"}, "started_at and ended_at, or"),
    ],
)
def test_a_member_must_be_read_as_what_it_is(path: str, member: Any, words: str) -> None:
    event = {"type": "time.logged.v1", "members": {**MEMBERS, path: member}}
    with pytest.raises(ValidationError, match=words):
        mapping(rows(events=[event]))


def test_members_that_say_true_or_false_have_values() -> None:
    member = Member(column="Abroad", values={"yes": True, "": False})
    given = {path: Member(**each) for path, each in MEMBERS.items()}
    assert faults_of("time.logged.v1", {**given, "performer.outside_us": member}) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": None},
        {"tables": {"public.t": rows()}},
        {"rows": None, "tables": {"public.t": rows(key=[])}},
        {"sheet": {"decimal": ",", "thousands": ","}},
        {"name": "Not a name"},
    ],
)
def test_what_does_not_go_together_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        mapping(**changes)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"kafka_changes_topics": "a,b"}, "needs mappings"),
        ({"kafka_changes_topics": "a,a", "mappings": "m.toml"}, "every topic's name another"),
    ],
)
def test_topics_that_nothing_could_read_are_refused_at_start(
    settings: dict[str, str], words: str
) -> None:
    with pytest.raises(ValidationError, match=words):
        Settings(kafka="127.0.0.1:9092", **settings)


def test_each_topic_of_changes_is_read_by_a_group_of_its_own() -> None:
    given = Settings(
        kafka="127.0.0.1:9092", mappings="m.toml", kafka_changes_topics=" a , b,", signing_key=""
    )
    kafka = given.kafka_settings()
    assert kafka is not None
    assert kafka.changes_topics == ("a", "b")
    assert {"a", "b"} <= set(kafka.read_topics)
    assert kafka.of_feed("b", "changes-b").group_id == "caretally-ingest-changes-b"
