"""Today told at a pace a reader can follow: send, look into the store, show; moments held."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from projections.ports import DeadLetter, Store
from services.demo import words
from services.demo.board import Board
from services.demo.day import Moment
from services.demo.feed import Feed, Posting
from services.demo.screens import Screen
from services.demo.view import Change, View
from services.demo.words import Caption, Seen
from services.ingest import Outcome

HOLD_BEFORE: Final = 6
HOLD_AFTER: Final = 14
"""How long a moment is held before and after it, in ordinary messages' time."""
AFTER_STORY: Final = 4
"""How much faster the day goes on once each kind of moment has been told."""
FRAME_SECONDS: Final = 0.2
RATE_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Pace:
    """`speed` is messages a second; `seconds` None is until the day is over."""

    speed: float
    seconds: float | None = None


class Telling:
    """One run's part of the day. `total` counts what the store made of its messages."""

    def __init__(
        self, store: Store, view: View, feed: Feed, screen: Screen, pace: Pace, total: Outcome
    ) -> None:
        self.board = Board(view, feed.address)
        self.stars: dict[Moment, str] = {}
        """The patient of each kind of moment told, the latest of its kind."""
        self._store, self._view, self._feed = store, view, feed
        self._screen, self._pace, self._total = screen, pace, total
        self._today: date = view.clock.date()
        self._ends = None if pace.seconds is None else time.monotonic() + pace.seconds
        self._sent_at: deque[tuple[float, int]] = deque()

    def tell(self, postings: Iterable[Posting]) -> bool:
        """Send until the postings or the time are over; whether it was the postings."""
        with self._screen.live(self.board):
            for posting in postings:
                if self._ends is not None and time.monotonic() >= self._ends:
                    return False
                self.board.lit = False
                if posting.moment is None:
                    self._send(posting)
                    self._pass(len(posting.messages))
                else:
                    self._stage(posting, posting.moment)
        return True

    def _stage(self, posting: Posting, moment: Moment) -> None:
        """One moment: what comes, a pause, what came of it, a pause."""
        event = posting.messages[0]
        caption = words.coming(moment, event)
        month = words.month_told(moment, self._today)
        was = self._seen(caption.patient, month)
        self._show(caption)
        self._pass(HOLD_BEFORE)
        changes = self._send(posting)
        now = self._seen(caption.patient, month)
        self.board.told.add(moment)
        self.stars[moment] = caption.patient
        self._show(words.came(caption, was, now, changes, self._last_letter()))
        self._pass(HOLD_AFTER)

    def _show(self, caption: Caption) -> None:
        self.board.caption, self.board.lit = caption, True
        self._screen.caption(self.board)

    def _seen(self, patient: str, month: str) -> Seen:
        letters = self._store.counts()["dead_letters"]
        return Seen(self._view.answer(patient, month), letters)

    def _last_letter(self) -> DeadLetter | None:
        letters = self._store.dead_letters(limit=1_000_000)
        return letters[-1] if letters else None

    def _send(self, posting: Posting) -> list[Change]:
        self._feed.send(posting)
        self._sent_at.append((time.monotonic(), len(posting.messages)))
        return self._look()

    def _look(self) -> list[Change]:
        """Read what is new in the store, from whatever door, and draw it."""
        new = self._view.refresh()
        figures, now, total = self.board.figures, time.monotonic(), self._total
        figures.duplicates, figures.dead_letters = total.duplicates, total.dead_lettered
        figures.events = total.accepted + total.duplicates + total.dead_lettered
        while self._sent_at and now - self._sent_at[0][0] > RATE_SECONDS:
            self._sent_at.popleft()
        figures.per_second = sum(messages for _, messages in self._sent_at) / RATE_SECONDS
        self._screen.draw(self.board, new)
        return new

    def _pass(self, messages: int) -> None:
        """Let the time of so many messages go by; what others send meanwhile is shown too."""
        hurry = AFTER_STORY if self.board.told == set(Moment) else 1
        until = time.monotonic() + messages / (self._pace.speed * hurry)
        if self._ends is not None:
            until = min(until, self._ends)
        while (left := until - time.monotonic()) > 0:
            self._store.wait(self._view.position, min(left, FRAME_SECONDS))
            self._look()
