"""Every kind of bad input through the command line: named, kept, and its neighbours taken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from services.doors.lines import LINE_BYTES_KEPT
from tests.services.command import Command, command
from tests.services.test_ingest import chart, logged, said

__all__ = ["command"]

RN = {"id": "rn1", "role": "clinical_staff"}


def entry(**members: Any) -> bytes:
    """A time entry of 60 seconds with other or further members."""
    data = {"entry_id": "x", "performer": RN, "activity": "care_coordination"}
    work = {"performed_on": "2025-03-05", "seconds": 60}
    return said("time.logged.v1", {**data, **work, **members}, "x")


def clocked(started_at: str, ended_at: str) -> bytes:
    data = {"entry_id": "x", "performer": RN, "activity": "care_coordination"}
    return said("time.logged.v1", {**data, "started_at": started_at, "ended_at": ended_at}, "x")


def without(event: bytes, member: str) -> bytes:
    return json.dumps({k: v for k, v in json.loads(event).items() if k != member}).encode()


def enrolled_in(timezone: str) -> bytes:
    event = json.loads(chart()[0])
    return json.dumps(event | {"id": "z", "data": {**event["data"], "timezone": timezone}}).encode()


BAD = {
    "not JSON": (b'{"specversion": ', "not-json", ""),
    "not text": (b'{"specversion": "\xff"}', "not-json", ""),
    "not an object": (b"[1, 2]", "not-a-cloudevent", ""),
    "not a CloudEvent": (without(entry(), "specversion"), "not-a-cloudevent", "specversion"),
    "unknown type": (said("time.dreamt.v1", {}, "x"), "unknown-type", "type"),
    "no patient": (without(entry(), "subject"), "missing-member", "subject"),
    "missing member": (
        said("time.voided.v1", {"reason": "x"}, "x"),
        "missing-member",
        "data.entry_id",
    ),
    "ill-typed member": (entry(seconds="sixty"), "invalid-member", "data.seconds"),
    "unknown role": (
        entry(performer={"id": "rn1", "role": "nurse"}),
        "invalid-member",
        "data.performer.role",
    ),
    "ends at its start": (
        clocked("2025-03-05T10:00:00Z", "2025-03-05T10:00:00Z"),
        "ends-before-start",
        "data.ended_at",
    ),
    "ends before its start": (
        clocked("2025-03-05T10:00:00Z", "2025-03-05T09:00:00Z"),
        "ends-before-start",
        "data.ended_at",
    ),
    "over a day, clocked": (
        clocked("2025-03-05T10:00:00Z", "2025-03-06T10:00:01Z"),
        "entry-too-long",
        "data.ended_at",
    ),
    "over a day, unclocked": (entry(seconds=86_401), "entry-too-long", "data.seconds"),
    "unknown time zone": (enrolled_in("America/Nowhere"), "unknown-timezone", "data.timezone"),
    "too early": (entry(performed_on="2009-12-31"), "date-out-of-range", "data.performed_on"),
    "too late": (entry(performed_on="2100-01-01"), "date-out-of-range", "data.performed_on"),
    "work ahead, clocked": (
        clocked("2025-03-11T16:00:00Z", "2025-03-11T17:00:01Z"),
        "work-after-event-time",
        "data.ended_at",
    ),
    "work ahead, unclocked": (
        entry(performed_on="2025-03-12"),
        "work-after-event-time",
        "data.performed_on",
    ),
    "too large": (entry(activity="x" * 1_048_576), "too-large", ""),
    "conflicting duplicate": (logged("t1", 61, id="pt1-n0"), "conflicting-duplicate", "id"),
}


@pytest.fixture
def mixed(command: Command) -> Path:
    """Every kind of bad line, a good one before and after each."""
    lines = chart()
    for place, (bad, _, _) in enumerate(BAD.values()):
        lines += [logged(f"n{place}", 60), bad]
    return command.file("mixed.jsonl", [*lines, logged("last", 60)])


def expected(first_line: int = 8) -> list[tuple[int, str, str]]:
    """Line, reason and field of every bad line."""
    return [(first_line + 2 * n, *named) for n, (_, *named) in enumerate(BAD.values())]  # type: ignore[misc]


def test_ingest_takes_all_neighbours_and_keeps_every_bad_line_whole(
    command: Command, mixed: Path
) -> None:
    """As a user meets it: exit code 1, and `dead-letters` says line, reason and field of each."""
    ran = command.start("ingest", mixed, "--json")
    assert ran.code == 1
    (summary,) = ran.lines()
    assert (summary["accepted"], summary["dead_lettered"]) == (len(BAD) + 7, len(BAD))
    listed = command("dead-letters", "list", "--json").lines()
    told = [(int(a["origin"].rpartition(":")[2]), a["reason"], a["field"]) for a in listed]
    assert told == expected()
    for letter, (bad, _, _) in zip(listed, BAD.values(), strict=True):
        raw = command("dead-letters", "show", letter["id"], "--raw").out
        assert raw == bad[:LINE_BYTES_KEPT]
        assert letter["sentence"].endswith(".")
    (answer,) = command("assessments").lines()
    assert answer["seconds"]["logged"] == 60 * (len(BAD) + 1)


def test_replay_takes_all_neighbours_and_tells_every_bad_line(
    command: Command, mixed: Path
) -> None:
    """The same reasons and fields as the store's door, and the same answers."""
    ran = command.start("replay", mixed)
    assert ran.code == 1
    assert [(a["line"], a["reason"], a["field"]) for a in ran.faults()] == expected()
    assert {a["file"] for a in ran.faults()} == {str(mixed)}
    command("ingest", mixed)
    assert ran.out == command("assessments").out
    kept = {a["id"]: a["sentence"] for a in command("dead-letters", "list", "--json").lines()}
    assert [a["sentence"] for a in ran.faults()] == list(kept.values())


def test_an_ingest_that_runs_again_doubles_nothing(command: Command, mixed: Path) -> None:
    command("ingest", mixed)
    before = command("assessments").out
    again = command("ingest", mixed, "--json")
    assert (again.code, again.lines()[0]["accepted"]) == (0, 0)
    assert "an earlier run had taken its beginning" in again.err
    assert command("assessments").out == before
    assert len(command("dead-letters", "list", "--json").lines()) == len(BAD)


@pytest.mark.parametrize("name", ["ingest", "replay"])
def test_a_file_that_cannot_be_read_is_bad_input(command: Command, name: str) -> None:
    """Exit code 2 and a sentence that names the file; nothing else is said."""
    missing = command(name, command.folder / "nowhere.jsonl")
    assert (missing.code, missing.out) == (2, b"")
    assert "nowhere.jsonl: " in missing.err
    assert "o such file" in missing.err
    assert command(name, command.folder).code == 2
    assert command(name).code == 2


@pytest.mark.parametrize("name", ["ingest", "replay"])
def test_a_damaged_archive_is_bad_input_that_names_the_line(command: Command, name: str) -> None:
    packed = gzip.compress(b"".join(line + b"\n" for line in chart() * 50), mtime=0)
    path = command.folder / "cut.jsonl.gz"
    path.write_bytes(packed[: len(packed) // 2])
    ran = command(name, path)
    assert ran.code == 2
    assert "cut.jsonl.gz is damaged after line" in ran.err


@pytest.mark.parametrize(
    ("args", "named"),
    [
        (["replay", "x", "--as-of", "2026-03-31"], "--as-of: expected an RFC 3339 instant"),
        (["replay", "x", "--month", "2026-13"], "--month: expected YYYY-MM"),
        (["replay", "x", "--policy", "selection=best"], "--policy selection"),
        (["replay", "x", "--policy", "qp"], "--policy expected KEY=VALUE"),
        (["assessments", "--status", "paid"], "--status: expected one of claimed"),
        (["assessments", "--month", "March"], "--month: expected YYYY-MM"),
        (["assessments", "--patient", "\udcff"], "expected text in UTF-8"),
        (["alerts", "--practice", "\udcff"], "expected text in UTF-8"),
        (["nonsense"], "No such command"),
    ],
)
def test_bad_usage_says_what_was_expected(command: Command, args: list[str], named: str) -> None:
    ran = command(*args)
    assert (ran.code, ran.out) == (2, b"")
    assert named in ran.err


def test_bad_settings_and_a_broken_database_are_told_in_one_line(command: Command) -> None:
    wrong = command("assessments", CARETALLY_BATCH_SIZE="many")
    assert wrong.code == 2
    assert "CARETALLY_BATCH_SIZE" in wrong.err
    (command.folder / "care.db").write_bytes(b"this is no database" * 100)
    broken = command("assessments")
    assert broken.code == 2
    assert broken.err.count("\n") == 1
    assert broken.err.startswith(f"error: database {command.database}: ")
