"""`caretally demo`: the main job in one process, no services."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.frame import FAILED, fail, nobody_reads

if TYPE_CHECKING:
    from services.demo.folder import DemoFolder, Plan
    from services.demo.run import Ending
    from services.demo.screens import Screen
    from services.demo.telling import Pace

SEED, PATIENTS = 7, 240
DAY = date(2025, 11, 24)
"""Of the last year whose fees are built in for every code; the same story on every machine."""
SPEED_TERMINAL, SPEED_PLAIN = 4.0, 10.0
SECONDS_TERMINAL, SECONDS_PLAIN = 120.0, 20.0
FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2099, 12, 31)

Seconds = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="How long to tell today; 0 for the whole day. "
        f"[default: {SECONDS_TERMINAL:.0f} on a terminal, {SECONDS_PLAIN:.0f} elsewhere]",
        show_default=False,
    ),
]
Speed = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        max=10_000,
        help="Events a second, until the story has been told once; then four times as many. "
        f"[default: {SPEED_TERMINAL:.0f} on a terminal, {SPEED_PLAIN:.0f} elsewhere]",
        show_default=False,
    ),
]
Events = Annotated[int | None, typer.Option(min=0, help="Send at most so many events of today.")]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder for the data; that of an earlier demo goes on. [default: a new one]",
        show_default=False,
    ),
]
Seed = Annotated[
    int | None, typer.Option(help=f"Another clinic. [default: {SEED}]", show_default=False)
]
Patients = Annotated[
    int | None,
    typer.Option(
        min=60, max=20_000, help=f"Its patients. [default: {PATIENTS}]", show_default=False
    ),
]
Today = Annotated[
    str | None,
    typer.Option(help=f"The day told, YYYY-MM-DD. [default: {DAY}]", show_default=False),
]
Port = Annotated[int, typer.Option(min=0, max=65_535, help="Of the HTTP door; 0 for a free one.")]
Screenshot = Annotated[
    Path | None, typer.Option(help="Save the last state of the board as an SVG image.")
]


def demo(
    seconds: Seconds = None,
    events: Events = None,
    speed: Speed = None,
    data: Data = None,
    seed: Seed = None,
    patients: Patients = None,
    today: Today = None,
    port: Port = 0,
    screenshot: Screenshot = None,
) -> None:
    """A simulated clinic in one process, no services: events in, codes and alerts live.

    Three months of synthetic history through the file door, then today through the HTTP door.
    On a terminal a live board, elsewhere plain lines. Ctrl-C ends it; the data stays.

    \b
    Example: caretally demo --patients 500 --data my-demo
    """
    print("caretally demo: a simulated clinic, synthetic patients, no services needed", flush=True)
    on_terminal = sys.stdout.isatty()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        folder, plan = _placed(data, seed, patients, today)
        print(f"data in {folder.path}", flush=True)
        from services.demo.screens import Plain, Terminal
        from services.demo.telling import Pace

        usual = (SPEED_TERMINAL, SECONDS_TERMINAL) if on_terminal else (SPEED_PLAIN, SECONDS_PLAIN)
        pace = Pace(speed or usual[0], (usual[1] if seconds is None else seconds) or None)
        screen = Terminal() if on_terminal else Plain()
        ending = _run(folder, plan, screen, pace, events, port)
        _end(ending, folder, screenshot)
    except BrokenPipeError:
        nobody_reads()
    except KeyboardInterrupt:
        print("\nstopped; with the same --data it goes on", file=sys.stderr)


def _placed(
    data: Path | None, seed: int | None, patients: int | None, today: str | None
) -> tuple[DemoFolder, Plan]:
    """The folder, and its own plan where an earlier demo left one."""
    from services.demo.folder import DemoFolder, Plan, UnfitFolder

    day = _date(today)
    folder = DemoFolder(data or Path(tempfile.mkdtemp(prefix="caretally-demo-")))
    try:
        earlier = folder.earlier_plan()
    except (UnfitFolder, OSError) as error:
        fail(f"--data: {error}")
    if earlier is None:
        new = Plan(seed or 0, day or DAY, patients or PATIENTS)
        return folder, replace(new, seed=SEED) if seed is None else new
    given = {"seed": seed, "today": day, "patients": patients}
    for name, value in given.items():
        held = getattr(earlier, name)
        if value not in (None, held):
            fail(
                f"--{name}: {folder.path} holds a demo with {held}; found {value}. "
                "Leave it out, or give another --data"
            )
    return folder, earlier


def _date(text: str | None) -> date | None:
    """A day that the clinic's three months fit around."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not FIRST_DAY <= day <= LAST_DAY:
        fail(f"--today: expected YYYY-MM-DD from {FIRST_DAY} to {LAST_DAY}; found {text[:60]!r}")
    return day


def _run(
    folder: DemoFolder,
    plan: Plan,
    screen: Screen,
    pace: Pace,
    events: int | None,
    port: int,
) -> Ending:
    from infra.clock import system_clock
    from services.cli.frame import in_one_line
    from services.demo.feed import FeedRefused
    from services.demo.run import Demo
    from services.outage import is_outage

    try:
        return Demo(folder, plan, screen, system_clock).run(pace, events, port)
    except FeedRefused as error:
        fail(str(error), FAILED)
    except BrokenPipeError:
        raise
    except OSError as error:
        fail(f"{error.filename or f'--port {port}'}: {error.strerror or error}")
    except Exception as error:
        if is_outage(error):
            fail(f"database {folder.database}: {in_one_line(error)}")
        raise


def _end(ending: Ending, folder: DemoFolder, screenshot: Path | None) -> None:
    from services.demo.summary import summary

    called = sys.argv[0]
    if shutil.which("caretally") or called.endswith(".py"):
        called = "caretally"
    for line in summary(ending, folder, called):
        print(line)
    if screenshot is not None:
        from services.demo.board import picture

        screenshot.write_text(picture(ending.board, "caretally demo"), encoding="utf-8")
