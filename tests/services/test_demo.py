"""The demo tells its story truthfully, ends by itself, and survives being killed."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

from services.demo.day import Moment
from services.demo.words import TITLES
from tests.services.demos import (
    ARGUMENTS,
    STORY_EVENTS,
    clinic,
    command,
    replayed,
    run,
    sent_lines,
    store_in,
    stored_live,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "data"


@pytest.fixture(scope="module")
def story(folder: Path) -> subprocess.CompletedProcess[str]:
    """A run without a terminal, as `make demo` in a pipe, cut to the story."""
    events = ["--events", str(STORY_EVENTS), "--speed", "300"]
    other = f"sqlite:///{folder.parent / 'not-mine.db'}"
    return run("demo", "--data", str(folder), *ARGUMENTS, *events, CARETALLY_DATABASE=other)


def test_without_a_terminal_it_ends_by_itself_and_well(
    story: subprocess.CompletedProcess[str],
) -> None:
    assert story.returncode == 0, story.stderr
    assert story.stderr == ""
    assert "\x1b" not in story.stdout


def test_it_says_at_once_where_the_data_lies(
    story: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert story.stdout.splitlines()[1] == f"data in {folder}"


@pytest.mark.parametrize("title", TITLES.values())
def test_each_moment_is_told(story: subprocess.CompletedProcess[str], title: str) -> None:
    assert f"** {title} **" in story.stdout


def told(output: str, moment: Moment) -> str:
    """What was said from a moment's title to the end of its caption."""
    after = output.split(f"** {TITLES[moment]} **")[1]
    return re.split(r"\n\d\d:\d\d:\d\d  (?:\*\*|--)", after)[0]


def test_the_late_correction_takes_a_code_back_and_resolves_its_alert(
    story: subprocess.CompletedProcess[str],
) -> None:
    said = told(story.stdout, Moment.LATE_CORRECTION)
    assert re.search(r"99490.*, \$\d+\.\d\d → \d+:\d\d min, no code, nothing to bill", said)
    assert "threshold.reached 99490 resolved" in said


def test_the_duplicate_is_said_to_do_nothing_because_it_did(
    story: subprocess.CompletedProcess[str],
) -> None:
    assert "Nothing is counted twice, no alert is sent." in told(story.stdout, Moment.DUPLICATE)


def test_the_bad_event_is_named_with_its_reason(
    story: subprocess.CompletedProcess[str], folder: Path
) -> None:
    with store_in(folder) as store:
        (letter,) = store.dead_letters()
    said = told(story.stdout, Moment.BAD_EVENT)
    assert f"{letter.reason}: {letter.sentence}" in said
    assert letter.reason == "ends-before-start"


def test_the_late_fact_unblocks_the_month_before(story: subprocess.CompletedProcess[str]) -> None:
    said = told(story.stdout, Moment.LATE_FACT)
    assert re.search(r"2025-10: .*blocked: consent-missing → \d+:\d\d min, 99", said)
    assert "prerequisite.missing consent-missing resolved" in said


def test_everything_sent_is_accepted_a_duplicate_or_a_dead_letter(
    story: subprocess.CompletedProcess[str], folder: Path
) -> None:
    counted = re.search(
        r"today     (\d+) events in: (\d+) accepted, (\d+) duplicates?, (\d+) dead letters?",
        story.stdout,
    )
    assert counted is not None
    sent, accepted, duplicates, dead = map(int, counted.groups())
    assert sent == STORY_EVENTS == accepted + duplicates + dead
    with store_in(folder) as store:
        assert len(stored_live(store)) == accepted
        assert len(store.dead_letters()) == dead
    labels = [one.moment for one in list(clinic().live())[:STORY_EVENTS]]
    assert duplicates == labels.count(Moment.DUPLICATE)
    assert dead == labels.count(Moment.BAD_EVENT)


@pytest.mark.usefixtures("story")
def test_the_store_answers_as_a_replay_of_the_same_events(folder: Path) -> None:
    with store_in(folder) as store:
        live = list(store.assessments())
    assert live == replayed(sent_lines(STORY_EVENTS))


@pytest.mark.usefixtures("story")
def test_it_never_touches_the_database_of_the_settings(folder: Path) -> None:
    assert not (folder.parent / "not-mine.db").exists()


def test_what_it_proposes_to_try_works_as_it_is(
    story: subprocess.CompletedProcess[str],
) -> None:
    proposed = story.stdout.split("Look into it:\n")[1].splitlines()
    name, _, url = proposed[0].strip().removeprefix("export ").partition("=")
    assert len(proposed) == 5
    for line in proposed[1:]:
        arguments = line.split()[1:]
        done = run(*arguments, **{name: url})
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout, line


def first_line_with(process: subprocess.Popen[str], words: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if words in line:
            return
    raise AssertionError(f"the demo never said {words!r}")


@pytest.mark.parametrize("when", ["history through the file door", "** A duplicate does nothing"])
def test_killed_and_run_again_it_goes_on_without_loss_or_doubling(
    tmp_path: Path, when: str
) -> None:
    arguments = command("demo", "--data", str(tmp_path), "--speed", "60")
    killed = subprocess.Popen(
        [*arguments, *ARGUMENTS, "--seconds", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        first_line_with(killed, when)
    finally:
        killed.kill()
        killed.communicate()
    again = run("demo", "--data", str(tmp_path), "--speed", "300", "--events", "60")
    assert again.returncode == 0, again.stderr
    live = list(clinic().live())
    with store_in(tmp_path) as store:
        stored, answers = stored_live(store), list(store.assessments())
        letters = len(store.dead_letters())
    end = 1 + max(n for n, one in enumerate(live) if one.event["id"] == stored[-1])
    accepted = [one for one in live[:end] if one.moment not in (Moment.DUPLICATE, Moment.BAD_EVENT)]
    assert stored == [one.event["id"] for one in accepted]
    assert letters == sum(one.moment is Moment.BAD_EVENT for one in live[:end])
    assert answers == replayed(sent_lines(end))


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_ends_well_with_its_summary(tmp_path: Path, by: signal.Signals) -> None:
    process = subprocess.Popen(
        command("demo", "--data", str(tmp_path), "--seconds", "0", *ARGUMENTS),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    first_line_with(process, "today's events through the HTTP door")
    time.sleep(0.5)
    process.send_signal(by)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert "Look into it:" in out
    assert "Traceback" not in err


@pytest.mark.usefixtures("story")
def test_an_earlier_demo_keeps_its_own_clinic(folder: Path) -> None:
    other = run("demo", "--data", str(folder), "--seed", "8")
    assert other.returncode == 2
    assert f"--seed: {folder} holds a demo with 7; found 8" in other.stderr


def test_a_folder_with_another_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "caretally.db").write_bytes(b"precious")
    done = run("demo", "--data", str(tmp_path))
    assert done.returncode == 2
    assert "--data: expected a new folder" in done.stderr
    assert (tmp_path / "caretally.db").read_bytes() == b"precious"


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run("demo", "--data", str(tmp_path), "--port", port, *ARGUMENTS)
    assert done.returncode == 2
    assert f"--port {port}: Address already in use" in done.stderr


def test_a_day_that_is_no_day_is_refused() -> None:
    done = run("demo", "--today", "2025-02-30")
    assert done.returncode == 2
    assert "--today: expected YYYY-MM-DD" in done.stderr
