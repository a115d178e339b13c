"""The demo's board and its day: what is shown fits and stays, what is sent keeps its order."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from services.demo.board import Board, picture
from services.demo.day import Moment, Told
from services.demo.feed import Form, postings
from services.demo.folder import DemoFolder, Plan
from services.demo.panel import at
from services.demo.run import ClockFrom, Demo, Ending
from services.demo.screens import Plain
from services.demo.telling import Pace
from services.demo.words import TITLES
from tests.services.demos import (
    ARGUMENTS,
    NOW_US,
    PATIENTS,
    STORY_EVENTS,
    TODAY,
    clinic,
    command,
)


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
