"""`caretally demo`: the main job in one process, no services."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from threading import Event
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
THE_WHOLE_DAY = 0.0
FIRST_DAY, LAST_DAY = date(2020, 1, 1), date(2099, 12, 31)

Seconds = Annotated[
    float | None,
    typer.Option(
        min=0,
        help="How long to tell today; 0 for the whole day. "
        f"[default: the whole day, {SECONDS_TERMINAL:.0f} with --terminal; "
        f"{SECONDS_PLAIN:.0f} where there is no terminal]",
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
Port = Annotated[
    int, typer.Option(min=0, max=65_535, help="Of the board and the HTTP door; 0 for a free one.")
]
OnTerminal = Annotated[
    bool, typer.Option("--terminal", help="A live board on the terminal instead of plain lines.")
]
Browser = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the board where there is a browser.")
]
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
    terminal: OnTerminal = False,
    browser: Browser = True,
    screenshot: Screenshot = None,
) -> None:
    """A simulated clinic in one process, no services: events in, codes and alerts live.

    Three months of synthetic history through the file door, then today through the HTTP door, on
    a page that a browser shows live. On a terminal it stays until Ctrl-C, elsewhere it ends by
    itself; the data stays either way.

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

        usual = SPEED_TERMINAL if on_terminal else SPEED_PLAIN
        pace = Pace(speed or usual, (_usual(terminal) if seconds is None else seconds) or None)
        screen: Screen = Terminal() if terminal and on_terminal else Plain(browser and _shows())
        stays = on_terminal and not terminal and seconds is None and events is None
        ending = _run(folder, plan, screen, pace, events, port, _stay if stays else _go_on)
        _end(ending, folder, screenshot)
    except BrokenPipeError:
        nobody_reads()
    except KeyboardInterrupt:
        print("\nstopped; with the same --data it goes on", file=sys.stderr)


def _usual(terminal: bool) -> float:
    """How many seconds today is told unless somebody says so."""
    if not sys.stdout.isatty():
        return SECONDS_PLAIN
    return SECONDS_TERMINAL if terminal else THE_WHOLE_DAY


def _shows() -> bool:
    """Whether a browser would show a page here, to somebody who sits before it."""
    if not sys.stdout.isatty():
        return False
    desktop = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(desktop) or sys.platform in ("darwin", "win32")


def _stay() -> None:
    """Until somebody ends it."""
    print("The day is told; the board stays until Ctrl-C.", flush=True)
    with suppress(KeyboardInterrupt):
        Event().wait()


def _go_on() -> None:
    """At once."""


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
    stay: Callable[[], None],
) -> Ending:
    from infra.clock import system_clock
    from services.cli.frame import in_one_line
    from services.demo.feed import FeedRefused
    from services.demo.run import Demo
    from services.outage import is_outage

    try:
        return Demo(folder, plan, screen, system_clock).run(pace, events, port, stay)
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
