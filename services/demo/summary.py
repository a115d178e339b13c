"""What a demo says at its end: figures, where the data lies, and what to try next."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Final

from services.demo import words
from services.demo.clinic import PRACTICE
from services.demo.day import Moment
from services.demo.folder import DemoFolder
from services.demo.run import Ending

STAR_OF_LAST_RESORT: Final = "pt-0001"


def summary(ending: Ending, folder: DemoFolder, command: str) -> Iterator[str]:
    """The lines; `command` is how the reader calls the program."""
    yield ""
    yield from _figures(ending)
    yield ""
    yield f"The data lies in {folder.path}: its whole log is {folder.database.name}."
    again = f"{command} demo --data {shlex.quote(str(folder.path))}"
    if ending.day_is_over:
        yield "The day was told to its end."
    else:
        yield f"The day goes on from here with:  {again}"
    yield ""
    yield "Look into it:"
    for line in next_commands(ending, folder, command):
        yield f"  {line}"


def _figures(ending: Ending) -> Iterator[str]:
    board, today, history = ending.board, ending.today, ending.history
    view, counts = board.view, ending.counts
    if history.resumed_after:
        yield f"history   {history.resumed_after:,} lines were there from an earlier run"
    taken = history.accepted + history.duplicates + history.dead_lettered
    if taken:
        yield f"history   {taken:,} events in: {_fates(history)}"
    yield f"today     {board.figures.sent:,} events in: {_fates(today)}"
    yield (
        f"store     {counts['patients']:,} patients, {counts['events']:,} events, "
        f"{counts['assessments']:,} assessments, {counts['dead_letters']:,} dead letters"
    )
    units = ", ".join(f"{code} × {units}" for code, units in sorted(ending.units.items()))
    yield f"{view.month}   {words.dollars(view.cents())} earned: {units or 'no code yet'}"
    if unpriced := view.unpriced():
        year = view.month[:4]
        yield f"          {unpriced} patients not in this sum: a code of theirs has no {year} fee;"
        yield "          caretally fees --help says how to load the official figures"
    yield f"alerts    today {view.raised:,} raised, {view.resolved:,} resolved"


def _fates(outcome: object) -> str:
    fates = {name: getattr(outcome, name) for name in ("accepted", "duplicates", "dead_lettered")}
    return (
        f"{fates['accepted']:,} accepted, {fates['duplicates']:,} duplicates without effect, "
        f"{fates['dead_lettered']:,} dead letters"
    )


def next_commands(ending: Ending, folder: DemoFolder, command: str) -> list[str]:
    """Commands that can be copied as they are."""
    month = ending.board.view.month
    star = ending.stars.get(Moment.LATE_CORRECTION, STAR_OF_LAST_RESORT)
    return [
        f"export CARETALLY_DATABASE={shlex.quote(folder.database_url)}",
        f"{command} assessments --month {month} --status billable",
        f"{command} alerts --patient {star}",
        f"{command} explain {star} {month} --practice {PRACTICE}",
        f"{command} dead-letters list",
    ]
