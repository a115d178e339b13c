"""The demo tells its story truthfully, ends by itself, and survives being killed."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from domain.policy import Policy
from domain.rules import BOOK
from infra.answers import assessment_json
from infra.codec import decode_event
from infra.eventstore import open_store
from projections.ports import Store
from services.demo.board import Board, picture
from services.demo.clinic import SOURCE, Clinic
from services.demo.day import Moment, Told
from services.demo.feed import Form, postings
from services.demo.folder import DemoFolder, Plan
from services.demo.panel import at
from services.demo.run import ClockFrom, Demo, Ending
from services.demo.screens import Plain
from services.demo.telling import Pace
from services.demo.vocabulary import to_line
from services.demo.words import TITLES
from services.replay import Replay

TODAY = date(2025, 11, 24)
PATIENTS = 60
STORY_EVENTS = 70
"""Messages of today by which each kind of moment has come."""
RUN_SECONDS_MAX = 60
NOW_US = 1_741_188_061_000_000

ARGUMENTS = ["--today", TODAY.isoformat(), "--seed", "7", "--patients", str(PATIENTS)]


def clinic() -> Clinic:
    return Clinic(7, TODAY, PATIENTS)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "services.cli.main", *arguments]


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS_MAX,
        env={**os.environ, **environ},
        check=False,
    )


@contextmanager
def store_in(folder: Path) -> Iterator[Store]:
    store = open_store(DemoFolder(folder).database_url)
    try:
        yield store
    finally:
        store.close()


def stored_live(store: Store) -> list[str]:
    """The ids of today's messages in the log; they ascend through the day."""
    events = map(decode_event, store.log(0, 1_000_000))
    return sorted(e.id for e in events if e.source == SOURCE and e.id.startswith("live"))


def replayed(lines: list[bytes]) -> list[bytes]:
    replay = Replay()
    for line in lines:
        replay.take(line)
    return [assessment_json(answer) for answer in replay.answers(BOOK, lambda _: Policy())]


def sent_lines(live_messages: int) -> list[bytes]:
    """The whole history and the first messages of today, as lines."""
    told = list(clinic().live())[:live_messages]
    return [*map(to_line, clinic().history()), *(to_line(one.event) for one in told)]


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


@pytest.fixture(scope="module")
def ending(tmp_path_factory: pytest.TempPathFactory) -> Ending:
    """A demo run inside this process, up to the end of the story."""
    folder = DemoFolder(tmp_path_factory.mktemp("inside"))
    demo = Demo(folder, Plan(7, TODAY, PATIENTS), Plain(), lambda: NOW_US)
    return demo.run(Pace(5_000), events=STORY_EVENTS)


def rendered(board: Board, columns: int, lines: int) -> list[str]:
    console = Console(width=columns, height=lines, file=StringIO(), record=True)
    console.print(board.frame(columns, lines))
    return console.export_text().splitlines()


@pytest.mark.parametrize(("columns", "lines"), [(100, 40), (80, 24)])
def test_the_board_fits_its_terminal(ending: Ending, columns: int, lines: int) -> None:
    frame = rendered(ending.board, columns, lines)
    assert len(frame) < lines
    assert max(map(len, frame)) <= columns


@pytest.mark.parametrize("columns", [100, 80])
def test_the_board_shows_patients_moments_and_alerts(ending: Ending, columns: int) -> None:
    text = "\n".join(rendered(ending.board, columns, 40))
    assert re.search(r"pt-\d{4} +█", text)
    for moment in ("late correction", "duplicate", "bad event", "late fact"):
        assert f"● {moment}" in text
    assert re.search(r"[▲▼] (raised|resolved) +threshold\.", text)
    assert f"{STORY_EVENTS} events in · 1 duplicate · 1 dead letter" in text


def test_a_patient_keeps_its_line_while_it_is_shown(ending: Ending) -> None:
    board = Board(ending.board.view, "door")
    before = [line[:7] for line in rendered(board, 100, 40) if line.startswith("pt-")]
    board.view.touched.pop(before[3], None)
    board.view.touched[before[3]] = None
    after = [line[:7] for line in rendered(board, 100, 40) if line.startswith("pt-")]
    assert after == before


def test_the_board_as_a_picture_is_an_svg(ending: Ending) -> None:
    image = picture(ending.board, "caretally demo")
    assert image.startswith("<svg")
    assert "threshold.reached" in image


def test_requests_keep_the_order_and_use_every_form() -> None:
    live = list(clinic().live())[:200]
    sent = list(postings(live))
    assert [m for posting in sent for m in posting.messages] == [one.event for one in live]
    assert {posting.form for posting in sent} == set(Form)


def test_a_moment_goes_alone_except_the_bad_event_which_has_a_good_one_beside_it() -> None:
    live: list[Told] = list(clinic().live())[:200]
    for posting in postings(live):
        if posting.moment is Moment.BAD_EVENT:
            assert (posting.form, len(posting.messages)) == (Form.BATCH, 2)
        elif posting.moment is not None:
            assert len(posting.messages) == 1


def test_the_clock_begins_in_the_clinics_morning_and_goes_on_as_the_given_one_does() -> None:
    """Whatever the hour is here: at any, some of the clinic's zones would be on another day."""
    now = [NOW_US]
    there = ClockFrom(at(TODAY, 15), lambda: now[0])
    begun = datetime.fromtimestamp(there() / 1_000_000, UTC)
    assert begun == at(TODAY, 15)
    now[0] += 90_000_000
    assert there() == int(begun.timestamp()) * 1_000_000 + 90_000_000


def test_the_plan_is_kept_as_it_was_given(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    assert folder.earlier_plan() is None
    folder.begin(Plan(3, TODAY, 90), [])
    assert folder.earlier_plan() == Plan(3, TODAY, 90)
    assert json.loads((tmp_path / "demo.json").read_bytes())["today"] == "2025-11-24"


def test_requests_are_made_as_the_day_comes() -> None:
    """A large clinic's day is long to plan; the first event must not wait for the last."""
    stream = clinic().live()
    for _ in range(5):
        next(postings(stream))
    assert sum(1 for _ in stream) > 100


def test_on_a_terminal_it_shows_the_board_and_ends_with_the_summary(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    os.set_blocking(ours, False)
    told = ["--terminal", "--events", "25", "--speed", "50", "--data", str(tmp_path)]
    process = subprocess.Popen(
        command("demo", *told, *ARGUMENTS),
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40"},
    )
    os.close(theirs)
    shown = b""
    while process.poll() is None or select.select([ours], [], [], 0)[0]:
        select.select([ours], [], [], 1.0)
        try:
            shown += os.read(ours, 65_536)
        except BlockingIOError:
            continue
        except OSError:
            break
    os.close(ours)
    screen = shown.decode(errors="replace")
    assert process.wait(timeout=30) == 0, screen
    assert re.search(r"pt-\d{4}.*█", screen)
    assert TITLES[Moment.LATE_CORRECTION] in screen
    assert screen.rindex("Look into it:") > screen.rindex("POST your own to")
