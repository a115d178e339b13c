"""Answers on the command line: live, replayed and explained, they are the same ones."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from services.demo.clinic import Clinic
from tests.services.command import Command, command
from tests.services.test_ingest import chart, logged, said

__all__ = ["command"]

TODAY = date(2026, 3, 18)


@pytest.fixture(scope="module")
def history() -> list[bytes]:
    """Three months of a simulated clinic: repetitions, corrections, claims, deaths."""
    return [json.dumps(event).encode() for event in Clinic(7, TODAY).history()]


def test_the_live_answers_are_the_replayed_ones_byte_for_byte(
    command: Command, history: list[bytes]
) -> None:
    """Also of the file in the opposite order, and for every way to narrow them."""
    path = command.file("history.jsonl", history)
    assert command.start("ingest", path).code == 0
    live = command.start("assessments")
    assert live.code == 0
    assert live.out.count(b"\n") > 500
    assert live.out == command.start("replay", path).out
    assert live.out == command("replay", command.file("backward.jsonl", reversed(history))).out
    for narrowed in (["--month", "2026-02"], ["--patient", "pt-0007"], ["--practice", "nobody"]):
        assert command("assessments", *narrowed).out == command("replay", path, *narrowed).out
    claimed = command("assessments", "--status", "claimed").lines()
    assert claimed == [line for line in live.lines() if line["status"] == "claimed"]
    assert claimed


def test_every_month_of_the_programme_is_the_same_live_and_replayed(
    command: Command, history: list[bytes]
) -> None:
    """Those in which nothing happened too, in their place between the others."""
    path = command.file("history.jsonl", [*history, *chart("quiet"), *chart("z")])
    command("ingest", path)
    args = ["--all-months", "--practice", "p1"]
    live = command("assessments", *args)
    assert live.out == command("replay", path, *args).out
    assert [(a["patient_id"], a["status"]) for a in live.lines() if a["month"] == "2025-02"] == [
        ("quiet", "accruing"),
        ("z", "accruing"),
    ]
    assert command("assessments", "--practice", "p1").out == b""


def test_a_replay_of_exported_events_answers_as_of_any_instant(
    command: Command, history: list[bytes]
) -> None:
    """As it was shown at that instant: later facts are not in it, though they are in the file."""
    half = len(history) // 2
    command("ingest", command.file("first.jsonl", history[:half]))
    shown = command("assessments").lines()
    instant = command("export").lines()[-1]["recordedtime"]
    command("ingest", command.file("second.jsonl", history[half:]))
    exported = command.folder / "exported.jsonl"
    exported.write_bytes(command("export").out)
    as_of = command("replay", exported, "--as-of", instant).lines()
    assert {answer["as_of"] for answer in as_of} == {instant}
    assert [answer | {"as_of": None} for answer in as_of] == shown
    assert command("replay", exported).out == command("assessments").out
    assert command("replay", exported).lines() != shown
    assert command("replay", exported, "--as-of", "2020-01-01T00:00:00Z").out == b""


def test_an_export_ingested_elsewhere_gives_the_same_answers(
    command: Command, tmp_path: Path
) -> None:
    command("ingest", command.file("a.jsonl", [*chart(), logged("t1", 1_200)]))
    exported = command.file("exported.jsonl", command("export").out.splitlines())
    (tmp_path / "elsewhere").mkdir()
    other = Command(tmp_path / "elsewhere")
    assert other("ingest", exported).code == 0
    assert other("assessments").out == command("assessments").out


def test_alerts_are_printed_oldest_first_and_can_be_narrowed(command: Command) -> None:
    lines = [*chart(), logged("t1", 1_200), *chart("pt2"), logged("t1", 2_400, "pt2")]
    command("ingest", command.file("a.jsonl", lines))
    # Run on the last days of a month, the month that is current is at risk too.
    told = [line for line in command("alerts").lines() if line["month"] == "2025-03"]
    assert [(a["patient_id"], a["type"], a["state"]) for a in told] == [
        ("pt1", "threshold.reached", "raised"),
        ("pt2", "threshold.reached", "raised"),
        ("pt2", "threshold.reached", "raised"),
    ]
    narrowed = command("alerts", "--patient", "pt2").lines()
    assert [line for line in narrowed if line["month"] == "2025-03"] == told[1:]


@pytest.fixture
def explained(command: Command) -> Command:
    command("ingest", command.file("a.jsonl", [*chart(), logged("t1", 1_200)]))
    return command


def test_a_month_is_explained_as_text_and_as_json(explained: Command) -> None:
    """The text names codes, evidence and rules; the JSON holds the assessment of the read model."""
    text = explained.start("explain", "pt1", "2025-03")
    assert (text.code, text.err) == (0, "")
    page = text.out.decode()
    assert "billable: 99490" in page
    assert "pt1-t1" in page
    assert "\x1b" not in page
    (whole,) = explained("explain", "pt1", "2025-03", "--json").lines()
    assert whole["assessment"] == explained("assessments").lines()[0]
    assert whole["conditions"]


def test_an_explanation_follows_policy_and_instant(explained: Command) -> None:
    policy = ["--policy", "not_countable=care_coordination"]
    (other,) = explained("explain", "pt1", "2025-03", "--json", *policy).lines()
    assert other["assessment"]["codes"] == []
    instant = explained("export").lines()[-1]["recordedtime"]
    explained("ingest", explained.file("b.jsonl", [logged("t2", 1_200)]))
    (now,) = explained("explain", "pt1", "2025-03", "--json").lines()
    (then,) = explained("explain", "pt1", "2025-03", "--json", "--as-of", instant).lines()
    assert now["assessment"]["seconds"]["logged"] == 2_400
    assert then["assessment"]["seconds"]["logged"] == 1_200
    assert then["assessment"]["as_of"] is not None


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["nobody", "2025-03"], "patient 'nobody' is not in the store"),
        (["pt1", "2025-03", "--practice", "p9"], "practice 'p9' has no patient 'pt1'"),
        (["pt1", "2025-3"], "MONTH: expected YYYY-MM from 2010-01 to 2099-12; found '2025-3'"),
        (["pt1", "2025-03", "--as-of", "yesterday"], "--as-of: expected an RFC 3339 instant"),
        (["pt1", "2025-03", "--as-of", "2019-01-01T00:00:00Z"], "nothing was known of patient"),
        (["pt1", "2025-03", "--policy", "qp=perhaps"], "--policy qp"),
        (["pt1"], "Missing argument"),
        (["\udcff", "2025-03"], "expected text in UTF-8"),
    ],
)
def test_what_cannot_be_explained_is_bad_input_with_a_sentence(
    explained: Command, args: list[str], sentence: str
) -> None:
    ran = explained("explain", *args)
    assert (ran.code, ran.out) == (2, b"")
    assert sentence in ran.err


def test_one_id_in_two_practices_needs_the_practice(explained: Command) -> None:
    elsewhere = said("patient.died.v1", {"died_on": "2025-02-01"}, "other", practiceid="p2")
    explained("ingest", explained.file("b.jsonl", [elsewhere]))
    ran = explained("explain", "pt1", "2025-03")
    assert ran.code == 2
    assert "give one of 'p1', 'p2' (--practice)" in ran.err
    chosen = explained("explain", "pt1", "2025-03", "--practice", "p1", "--json").lines()
    assert chosen[0]["assessment"]["practice_id"] == "p1"
