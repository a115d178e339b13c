"""The demo's live board for a terminal: patients, alerts, and the moment being told."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from services.demo import words
from services.demo.day import Moment
from services.demo.view import Answer, Change, View
from services.demo.words import Caption

MINUTES_SHOWN: Final = 60
TICK_MINUTES: Final = (20, 40, 60)
WIDE_COLUMNS: Final = 96
"""From here on the bars have room for their ticks' figures at full length."""
ROWS_MAX: Final = 16
ALERTS_MAX: Final = 8
CAPTION_LINES: Final = 4
FIXED_LINES: Final = 10 + CAPTION_LINES
"""Lines of the frame that are neither patients nor alerts, and one for the cursor."""
LIT: Final = "bold white on color(54)"
EIGHTHS: Final = " ▏▎▍▌▋▊▉"
STATUS_STYLES: Final = {
    "billable": "green",
    "claimed": "green",
    "blocked": "yellow",
    "diverged": "red",
    "accruing": "cyan",
}


@dataclass(slots=True)
class Figures:
    """The counters beside the answers."""

    events: int = 0
    duplicates: int = 0
    dead_letters: int = 0
    per_second: float = 0.0


@dataclass(slots=True)
class Board:
    """One frame after another of a view; patients keep their line while they are shown.

    `door` is the address at which anybody's events are taken.
    """

    view: View
    door: str
    figures: Figures = field(default_factory=Figures)
    caption: Caption | None = None
    told: set[Moment] = field(default_factory=set)
    lit: bool = False
    """Whether the moment is happening now."""
    _slots: list[str] = field(default_factory=list)

    def frame(self, columns: int, lines: int) -> RenderableType:
        """The whole board for a terminal of this size."""
        room = max(8, lines - FIXED_LINES)
        alerts = min(ALERTS_MAX, max(3, room // 3))
        rows = max(4, min(ROWS_MAX, room - alerts))
        return Group(
            self._header(columns),
            self._table(self._shown(rows), columns),
            self._moment(),
            self._alerts(alerts),
        )

    def _header(self, columns: int) -> RenderableType:
        view, figures = self.view, self.figures
        head = Table.grid(expand=True)
        head.add_column()
        head.add_column(justify="right")
        name = Text("caretally", "bold")
        name.append(f"  {view.practice}  {view.month}", "not bold")
        day = Text(f"{view.clock:%a %d %b  %H:%M:%S} UTC", "bold cyan")
        head.add_row(name, day)
        counts = Text(f"{figures.events:,} events in", "bold")
        counts.append(f" · {words.count(figures.duplicates, 'duplicate')}", "not bold")
        counts.append(f" · {words.count(figures.dead_letters, 'dead letter')}", "not bold")
        money = Text(f"{sum(view.codes().values()):,} codes  ")
        money.append(words.dollars(view.cents()), "bold green")
        if columns >= WIDE_COLUMNS:
            counts.append(f" · {figures.per_second:.1f}/s", "not bold")
            money.append(f" + {view.unpriced()} without fee" if view.unpriced() else "")
        head.add_row(counts, money)
        return head

    def _shown(self, rows: int) -> list[str]:
        """Who is on the board: whom something happened to last, and at first who is nearest."""
        del self._slots[rows:]
        wanted = [self.caption.patient] if self.caption else []
        wanted += [p for p in reversed(self.view.touched) if p not in wanted]
        del wanted[rows:]
        wanted += [p for p in self._nearest() if p not in wanted][: rows - len(wanted)]
        for patient in wanted:
            if patient in self._slots:
                continue
            if len(self._slots) < rows:
                self._slots.append(patient)
                continue
            leaving = next(n for n, held in enumerate(self._slots) if held not in wanted)
            self._slots[leaving] = patient
        return self._slots

    def _nearest(self) -> list[str]:
        open_months = [answer for answer in self.view.answers.values() if answer.next]
        open_months.sort(key=lambda a: (min(n.seconds_to_go for n in a.next), a.patient_id))
        return [answer.patient_id for answer in open_months[:ROWS_MAX]]

    def _table(self, patients: Iterable[str], columns: int) -> RenderableType:
        cells = 24 if columns >= WIDE_COLUMNS else 12
        table = Table(box=box.SIMPLE_HEAD, expand=True, padding=(0, 1, 0, 0), show_edge=False)
        table.add_column("patient", no_wrap=True)
        table.add_column(_scale(cells), width=cells, no_wrap=True)
        table.add_column("min", justify="right", no_wrap=True)
        table.add_column("codes", no_wrap=True)
        table.add_column("next in", no_wrap=True)
        table.add_column("amount", justify="right", no_wrap=True)
        table.add_column("status", no_wrap=True, overflow="ellipsis", ratio=1)
        for patient in patients:
            if answer := self.view.answers.get(patient):
                table.add_row(*_row(answer, cells), style=self._style(patient))
        return table

    def _style(self, patient: str) -> str:
        return LIT if self.lit and self.caption and patient == self.caption.patient else ""

    def _moment(self) -> RenderableType:
        """The moment's caption, always of the same height so that nothing jumps."""
        lines = self.caption.lines if self.caption else ("Nurses log their time …",)
        body = Text("\n".join(lines))
        if self.caption is not None and self.lit:
            body.stylize("bold")
        title = Text(f" {self.caption.title} " if self.caption else " Today ", "bold")
        style = "bright_magenta" if self.lit else "bright_black"
        ticks = "  ".join(
            f"{'●' if moment in self.told else '○'} {words.SHORT[moment]}" for moment in Moment
        )
        return Panel(
            body,
            title=title,
            title_align="left",
            subtitle=ticks,
            border_style=style,
            height=CAPTION_LINES + 2,
        )

    def _alerts(self, lines: int) -> RenderableType:
        changes = list(self.view.changes)[-lines:]
        body = Text("\n", no_wrap=True, overflow="ellipsis").join(map(self._alert, changes))
        body.append("\n" * (lines - max(1, len(changes))))
        title = f" alerts: {self.view.raised} raised, {self.view.resolved} resolved "
        frame = Panel(body, title=title, title_align="left", border_style="bright_black")
        frame.subtitle = f" POST your own to {self.door} "
        return frame

    def _alert(self, change: Change) -> Text:
        state = change.row.state
        reached = state.type == "threshold.reached"
        line = Text(f"{change.at:%H:%M:%S} ", "bright_black")
        line.append(f"{change.row.patient_id} ", "default")
        if state.raised:
            line.append("▲ raised   ", "bold green" if reached else "yellow")
        else:
            line.append("▼ resolved ", "bold red" if reached else "bright_black")
        line.append(f"{state.type:<21} {words.watched(change)}", "bold" if reached else "default")
        month = "" if state.month == self.view.month else f" of {state.month}"
        return line.append(month, "default")


def _row(answer: Answer, cells: int) -> tuple[RenderableType, ...]:
    code, rest = words.to_go(answer)
    style = STATUS_STYLES.get(answer.status, "")
    return (
        answer.patient_id,
        bar(answer.seconds.pooled, cells, style),
        words.clock(answer.seconds.pooled),
        Text(words.codes(answer), "bold green"),
        f"{code} {rest}",
        "no fee" if answer.is_unpriced else words.amount(answer),
        Text(words.status(answer), style),
    )


def bar(seconds: int, cells: int, style: str) -> Text:
    """Minutes as a bar over an hour, the thresholds as ticks where it has not come yet."""
    eighths = min(cells * 8, seconds * cells * 8 // (MINUTES_SHOWN * 60))
    full, part = divmod(eighths, 8)
    filled = "█" * full + (EIGHTHS[part] if part else "")
    text = Text(filled, style)
    ticks = {cells * minutes // MINUTES_SHOWN - 1 for minutes in TICK_MINUTES}
    for cell in range(len(filled), cells):
        text.append("┊" if cell in ticks else "·", "bright_black")
    return text


def _scale(cells: int) -> Text:
    """The ticks' figures, each ending where its tick stands."""
    step = cells // len(TICK_MINUTES)
    return Text("".join(f"{minutes:>{step}}" for minutes in TICK_MINUTES), "bright_black")


def picture(board: Board, title: str, columns: int = 110, lines: int = 40) -> str:
    """The board as an SVG image."""
    console = Console(record=True, width=columns, height=lines, file=io.StringIO())
    console.print(board.frame(columns, lines))
    return console.export_svg(title=title)
