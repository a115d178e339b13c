"""`caretally ingest` of .hl7 files: batches, frames, gzip, resuming after a kill."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from services.doors.hl7_files import messages_of
from services.wire.limits import MESSAGE_BYTES_MAX
from tests.hl7v2.sent import adt, pv1
from tests.services.command import Command, Ran

TOML = """
name = "river"
source = "https://ehr.example/fhir"
practice = "p1"
timezone = "America/New_York"
[hl7v2]
senders = ["EHR|RIVER"]
[hl7v2.patient]
authority = "RIVER"
type = "MR"
subject = "id"
"""


def stays(count: int) -> list[bytes]:
    return [adt("A01", pv1(f"v{n}"), control=str(n)) for n in range(count)]


def batch(messages: list[bytes]) -> bytes:
    inside = b"".join(messages)
    return b"FHS|^~\\&|x\rBHS|^~\\&|x\r" + inside + b"BTS|%d\rFTS|1\r" % len(messages)


class Ingesting(Command):
    """The command with a site profile in its folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.profile = folder / "river.toml"
        self.profile.write_text(TOML)

    def hl7(self, *args: object) -> Ran:
        return self("ingest", *args, "--json", CARETALLY_FHIR_SITES=str(self.profile))


@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_its_messages(tmp_path: Path, packed: bool) -> None:
    messages = stays(3000)
    path = tmp_path / "night.hl7"
    path.write_bytes(gzip.compress(batch(messages)) if packed else batch(messages))
    with path.open("rb") as file:
        found = list(messages_of(file, path))
    assert [line.text for line in found] == [each.strip() for each in messages]
    assert [line.number for line in found] == list(range(1, 3001))


def test_a_far_too_long_message_costs_its_neighbours_nothing(tmp_path: Path) -> None:
    one, two = stays(2)
    long = adt("A01", "NTE|1||" + "x" * (5 * MESSAGE_BYTES_MAX))
    path = tmp_path / "night.hl7"
    path.write_bytes(one + long + two)
    with path.open("rb") as file:
        found = list(messages_of(file, path))
    assert [found[0].text, found[2].text] == [one.strip(), two.strip()]
    assert found[1].length == len(long.strip())
    assert len(found[1].text) > MESSAGE_BYTES_MAX


def test_files_named_hl7_are_taken_and_taken_once(tmp_path: Path) -> None:
    command, path = Ingesting(tmp_path), tmp_path / "night.hl7"
    path.write_bytes(batch([*stays(5), adt("A01", pv1("x", admitted="2025"), control="x")]))
    ran = command.hl7(path)
    (done,) = ran.lines()
    assert (ran.code, done["accepted"], done["dead_lettered"]) == (1, 5, 1)
    (again,) = command.hl7(path).lines()
    assert (again["accepted"], again["dead_lettered"], again["files"][0]["resumed_after"]) == (
        0,
        0,
        6,
    )
    (letter,) = command("dead-letters", "list", "--json").lines()
    assert (letter["reason"], letter["field"], letter["origin"]) == (
        "imprecise-date",
        "PV1-44",
        "file:night.hl7:6",
    )


def test_without_a_profile_that_knows_hl7_it_is_said_so(tmp_path: Path) -> None:
    path = tmp_path / "night.hl7"
    path.write_bytes(b"".join(stays(1)))
    ran = Command(tmp_path)("ingest", path)
    assert (ran.code, "a site profile with [hl7v2]" in ran.err) == (2, True)


def test_a_batch_that_was_cut_off_waits_in_review(tmp_path: Path) -> None:
    command, path = Ingesting(tmp_path), tmp_path / "night.hl7"
    messages = stays(1500)
    inside = b"".join(messages[:1499])
    path.write_bytes(b"BHS|^~\\&|x\r" + inside + b"BTS|1500\r")
    (done,) = command.hl7(path).lines()
    assert (done["accepted"], done["dead_lettered"]) == (1499, 1)
    (letter,) = command("dead-letters", "list", "--json").lines()
    assert (letter["reason"], letter["field"]) == ("feed-gap", "BTS-1")
