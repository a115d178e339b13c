"""The demo put together: one process, a store in a folder, the real doors, a simulated EHR."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, islice
from typing import Final

from infra.clock import Clock
from infra.codec import decode_event
from infra.settings import Settings
from projections.letters import LetterAct
from projections.ports import Store
from services.bootstrap import Parts, composed
from services.demo.board import Board
from services.demo.clinic import PRACTICE, SOURCE, Clinic
from services.demo.day import Moment, Told
from services.demo.feed import Feed, postings
from services.demo.folder import DemoFolder, Plan, taken_ids
from services.demo.panel import at
from services.demo.screens import Screen
from services.demo.server import http_server
from services.demo.telling import Pace, Telling
from services.demo.view import View
from services.doors import http
from services.doors.files import FileOutcome, ingest_file
from services.ingest import Delivery, Ingest, Judge, Outcome
from services.pages.routes import Pages
from services.serve.reads import Reads

HISTORY_BATCH: Final = 500
"""Lines a transaction: small enough that the bar moves."""
OPENING_HOUR: Final = 15


@dataclass(slots=True)
class Ending:
    """What a run has done; `history` and `today` count this run's messages alone."""

    history: FileOutcome
    today: Outcome
    board: Board
    stars: dict[Moment, str]
    day_is_over: bool = False
    interrupted: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)
    """The store's totals."""
    units: Counter[str] = field(default_factory=Counter)
    """Units of each code that the month has earned."""


class CountedIngest(Ingest):
    """The shared core as a door sees it, with a count of what became of its messages."""

    def __init__(self, core: Ingest) -> None:
        self._core = core
        self.total = Outcome()

    def take(
        self,
        deliveries: Sequence[Delivery],
        tracking: Mapping[str, int] | None = None,
        keep_dead_letters: bool = True,
        judge: Judge | None = None,
        acts: Sequence[LetterAct] = (),
    ) -> Outcome:
        outcome = self._core.take(deliveries, tracking, keep_dead_letters, judge, acts)
        self.total.accepted += outcome.accepted
        self.total.duplicates += outcome.duplicates
        self.total.dead_lettered += outcome.dead_lettered
        return outcome


class ClockFrom:
    """A clock that stands at an instant when it is made and then goes on as the given one does;
    never before what the store has recorded."""

    def __init__(self, start: datetime, clock: Clock) -> None:
        self._clock, self._shift_us = clock, int(start.timestamp()) * 1_000_000 - clock()
        self._not_before = 0

    def __call__(self) -> int:
        return max(self._clock() + self._shift_us, self._not_before)

    def follow(self, store: Store) -> None:
        """Go on from the last event that the store has recorded."""
        for stored in store.log(store.head() - 1, 1):
            self._not_before = decode_event(stored).recorded_at_us or 0


class Demo:
    """A demo in its folder, run once; killed and run again it goes on where the store is."""

    def __init__(self, folder: DemoFolder, plan: Plan, screen: Screen, clock: Clock) -> None:
        self._folder, self._plan, self._screen, self._clock = folder, plan, screen, clock

    def run(
        self,
        pace: Pace,
        events: int | None = None,
        port: int = 0,
        stay: Callable[[], None] = lambda: None,
    ) -> Ending:
        """History, then today; `events` is the most messages of today to send. `stay` is called
        once today is told, while the pages are still served.

        Raises OSError when the port cannot be had, FeedRefused when the door refuses the feed,
        and KeyboardInterrupt when interrupted before today began.
        """
        clinic = Clinic(self._plan.seed, self._plan.today, self._plan.patients)
        if not self._folder.has_begun:
            self._folder.begin(self._plan, clinic.history())
        # No setting of the reader's own reaches the demo: it must never touch another database.
        settings = Settings.model_construct(database=self._folder.database_url)
        opening = at(self._plan.today, OPENING_HOUR)
        clock = ClockFrom(opening, self._clock)
        with composed(settings, clock) as parts:
            clock.follow(parts.store)
            core = parts.ingest()
            history = self._history(parts, core)
            counted = CountedIngest(core)
            routes = [*http.routes(counted), *Pages(parts, Reads(parts), core).routes()]
            with http_server(parts, routes, port) as address, Feed(address) as feed:
                view = View(parts.store, PRACTICE, SOURCE, opening)
                total = counted.total
                telling = Telling(parts.store, view, feed, self._screen, pace, total)
                ending = Ending(history, total, telling.board, telling.stars)
                left = islice(_left(parts.store, clinic), events)
                try:
                    whole = telling.tell(postings(left))
                    ending.day_is_over = whole and events is None
                    stay()
                except KeyboardInterrupt:
                    ending.interrupted = True
            ending.counts, ending.units = parts.store.counts(), view.codes()
        return ending

    def _history(self, parts: Parts, core: Ingest) -> FileOutcome:
        path = self._folder.history
        with gzip.open(path) as lines:
            total = sum(1 for _ in lines)
        with self._screen.loading(total) as progress:
            return ingest_file(core, parts.store, path, HISTORY_BATCH, progress)


def _left(store: Store, clinic: Clinic) -> Iterator[Told]:
    """Today's messages after the last one that the store has, made only as they are needed."""
    unmet = taken_ids(store, SOURCE) - {event["id"] for event in clinic.history()}
    stream = clinic.live()
    passed: list[Told] = []
    last = 0
    while unmet and (one := next(stream, None)):
        passed.append(one)
        if one.event["id"] in unmet:
            unmet.remove(one.event["id"])
            last = len(passed)
    return chain(passed[last:], stream)
