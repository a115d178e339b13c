"""The demo's own page: served while the day is told, and as long as somebody looks."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.services.serving import clean

ARGUMENTS = ("--today", "2025-11-24", "--seed", "7", "--patients", "60")
SECONDS_MAX = 60.0


@contextmanager
def demo(
    folder: Path, out: int, *options: str, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "services.cli.main", "demo", *ARGUMENTS, *options, "--data", folder],
        stdout=out,
        stderr=subprocess.STDOUT,
        env=clean({**environ, "PYTHONUNBUFFERED": "1"}),
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(source: int, words: str, said: str = "") -> str:
    """Everything said up to these words."""
    end = time.monotonic() + SECONDS_MAX
    while words not in said:
        assert time.monotonic() < end, said
        if select.select([source], [], [], 0.5)[0]:
            said += os.read(source, 65_536).decode()
    return said


def board_of(said: str) -> str:
    return said.split("the board: ")[1].split()[0]


def test_without_a_terminal_the_page_is_there_while_the_day_is_told(tmp_path: Path) -> None:
    """The page of the clinic's day, whatever day it is here; it ends by itself."""
    ours, theirs = os.pipe()
    with demo(tmp_path, theirs, "--seconds", "6") as process:
        os.close(theirs)
        said = until(ours, "HTTP door")
        page = httpx.get(board_of(said), follow_redirects=True)
        assert page.status_code == 200
        assert "Monday 24 November" in page.text
        assert process.wait(timeout=SECONDS_MAX) == 0
    os.close(ours)


def test_on_a_terminal_the_page_stays_until_somebody_ends_it(tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    with demo(tmp_path, theirs, "--speed", "5000", "--no-browser", TERM="xterm") as process:
        os.close(theirs)
        said = until(ours, "stays until Ctrl-C")
        assert httpx.get(board_of(said), follow_redirects=True).status_code == 200
        process.send_signal(signal.SIGINT)
        said = until(ours, "dead-letters list", said)
        assert process.wait(timeout=SECONDS_MAX) == 0
    os.close(ours)
    assert "The day was told to its end." in said
