"""Where a demo is watched beside its page: as plain lines, or on a terminal as a live board."""

from __future__ import annotations

import time
import webbrowser
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Final, Protocol
from urllib.parse import urljoin

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from services.demo import words
from services.demo.board import Board
from services.demo.day import Moment
from services.demo.view import Change

STATUS_EVERY_SECONDS: Final = 2.0
LOADING: Final = "history through the file door"

Loading = AbstractContextManager[Callable[[int], None]]


class Screen(Protocol):
    """What the demo tells while it runs."""

    def loading(self, lines: int) -> Loading:
        """While the history's lines go in; called with the number of the last one taken."""

    def live(self, board: Board) -> AbstractContextManager[None]:
        """While the day runs."""

    def draw(self, board: Board, new: Sequence[Change]) -> None:
        """The board has changed, or time has passed; `new` are alerts not yet shown."""

    def caption(self, board: Board) -> None:
        """The board's caption is about to come true, or has."""


class Plain:
    """One line after another: every alert until the story has been told once, then totals."""

    def __init__(self, opens_page: bool = False) -> None:
        """`opens_page`: in the machine's browser, once it is served."""
        self._opens_page = opens_page
        self._next_status = time.monotonic() + STATUS_EVERY_SECONDS
        self._lines_said = 0

    @contextmanager
    def loading(self, lines: int) -> Iterator[Callable[[int], None]]:
        say(f"{LOADING}: {lines:,} events, two months and this one so far")
        begun = time.monotonic()
        yield lambda _line: None
        say(f"{LOADING}: done in {time.monotonic() - begun:.1f} s")

    @contextmanager
    def live(self, board: Board) -> Iterator[None]:
        page = urljoin(board.door, "/board")
        say(f"the board: {page}")
        if self._opens_page:
            webbrowser.open(page)
        say(f"today's events through the HTTP door, {board.door}")
        yield

    def draw(self, board: Board, new: Sequence[Change]) -> None:
        if board.told != set(Moment):
            for line in _alerts(board, new):
                say(line)
        if time.monotonic() >= self._next_status and not board.lit:
            self._next_status = time.monotonic() + STATUS_EVERY_SECONDS
            say(f"{board.view.clock:%H:%M:%S}  -- {_totals(board)}")

    def caption(self, board: Board) -> None:
        caption = board.caption
        if caption is None:
            return
        if len(caption.lines) == 1:
            say(f"{board.view.clock:%H:%M:%S}  ** {caption.title} **")
            self._lines_said = 0
        for line in caption.lines[self._lines_said :]:
            say(f"            {line}")
        self._lines_said = len(caption.lines)


class Terminal:
    """The live board, drawn when something changed and at least a few times a second."""

    def __init__(self) -> None:
        self._console = Console()
        self._live: Live | None = None

    @contextmanager
    def loading(self, lines: int) -> Iterator[Callable[[int], None]]:
        columns = (TextColumn(LOADING), BarColumn(), MofNCompleteColumn(), TextColumn("events"))
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("", total=lines)
            yield lambda line: progress.update(task, completed=line)

    @contextmanager
    def live(self, board: Board) -> Iterator[None]:
        frame = board.frame(*self._console.size)
        with Live(frame, console=self._console, auto_refresh=False) as self._live:
            yield
        self._live = None

    def draw(self, board: Board, new: Sequence[Change]) -> None:
        del new
        if self._live is not None:
            self._live.update(board.frame(*self._console.size), refresh=True)

    def caption(self, board: Board) -> None:
        self.draw(board, ())


def say(line: str) -> None:
    """One line of standard output, at once."""
    print(line, flush=True)


def _alerts(board: Board, new: Sequence[Change]) -> Iterator[str]:
    """A line for each patient-month: where it stands now, and what was raised or resolved."""
    by_month: dict[tuple[str, str], list[Change]] = {}
    for change in new:
        by_month.setdefault((change.row.patient_id, change.row.state.month), []).append(change)
    for (patient, month), changes in by_month.items():
        stands = words.standing(board.view.answer(patient, month))
        said = words.alerts(changes)
        yield f"{changes[-1].at:%H:%M:%S}  {patient}  {month}: {stands}  <- {said}"


def _totals(board: Board) -> str:
    figures, view = board.figures, board.view
    return (
        f"{figures.events:,} events in, {words.count(figures.duplicates, 'duplicate')}, "
        f"{words.count(figures.dead_letters, 'dead letter')}, {figures.per_second:.0f}/s; "
        f"{view.month}: {sum(view.codes().values()):,} codes, {words.dollars(view.cents())}"
        f"{f' + {view.unpriced()} without fee' if view.unpriced() else ''}; "
        f"alerts: {view.raised} raised, {view.resolved} resolved"
    )
