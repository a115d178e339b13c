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
from services.doors.files import FileOutcome
from services.ingest import Outcome

STAR_OF_LAST_RESORT: Final = "pt-0001"


def summary(ending: Ending, folder: DemoFolder, command: str) -> Iterator[str]:
    """The lines; `command` is how the reader calls the program."""
    yield ""
    yield from _figures(ending)
    yield ""
    yield f"The data lies in {folder.path}"
    if ending.day_is_over:
        yield "The day was told to its end."
    else:
        yield "The day goes on from here with"
        yield f"  {command} demo --data {shlex.quote(str(folder.path))}"
    yield ""
    yield "Look into it:"
    for line in next_commands(ending, folder, command):
        yield f"  {line}"


def _figures(ending: Ending) -> Iterator[str]:
    view, counts, history = ending.board.view, ending.counts, ending.history
    if history.resumed_after:
        yield f"history   {history.resumed_after:,} lines were there from an earlier run"
    if history.lines > history.resumed_after:
        yield f"history   {_fates(history)}"
    yield f"today     {_fates(ending.today)}"
    yield (
        f"store     {counts['patients']:,} patients, {counts['events']:,} events, "
        f"{counts['assessments']:,} assessments, "
        f"{words.count(counts['dead_letters'], 'dead letter')}"
    )
    units = ", ".join(f"{code} × {units}" for code, units in sorted(ending.units.items()))
    yield f"{view.month}   {words.dollars(view.cents())} earned: {units or 'no code yet'}"
    if unpriced := view.unpriced():
        yield f"          {words.count(unpriced, 'patient')} not in this sum: a code of theirs has"
        yield "          no fee for its date; caretally fees --help says how to load the figures"
    yield f"alerts    today {view.raised:,} raised, {view.resolved:,} resolved"


def _fates(outcome: FileOutcome | Outcome) -> str:
    events = outcome.accepted + outcome.duplicates + outcome.dead_lettered
    return (
        f"{words.count(events, 'event')} in: {outcome.accepted:,} accepted, "
        f"{words.count(outcome.duplicates, 'duplicate')}, "
        f"{words.count(outcome.dead_lettered, 'dead letter')}"
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
