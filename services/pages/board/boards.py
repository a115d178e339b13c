"""Boards in memory, caught up with the log whenever somebody looks.

A board is made from the histories of the practice's patients, with snapshots where there are any.
After that only patients of whom the log has something new are folded again. It is a view of the
log and nothing else: any process makes the same board. So that one that starts need not, a board is
kept in the store now and then, and taken up there (`keeping`).
"""

from __future__ import annotations

import logging
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import Final

from domain.facts import Month
from domain.rules.codes import Pool
from domain.time.calendar import month_of
from infra.codec import split_stream_id
from infra.eventstore.kept_boards import open_kept_boards
from projections.board import Rank, Row, Show, Totals, rank, shows, totals
from projections.forecast import MONTHS_MAX, Course, Experience, cut_of, weekdays_from
from services.access.principal import EVERYBODY_HERE
from services.bootstrap import Parts
from services.pages.board.keeping import DamagedBoard, day_kept, form_of, packed, unpacked
from services.pages.board.rows import Case, Rows
from services.pages.place import Place, Places, months_before
from services.views.folded import loaded, streams

log = logging.getLogger("caretally.pages")

BOARDS_MAX: Final = 24
READY_MAX: Final = 8
"""Practices whose boards are made at the start."""
EVENTS_AT_ONCE: Final = 2_000
BEHIND_MAX: Final = 100_000
"""Events beyond which a board is made anew rather than caught up."""
KEEP_AFTER_PATIENTS: Final = 20
KEEP_AFTER_EVENTS: Final = 2_000
"""How much another process may have to catch up with before a board is kept again."""
POOLS: Final[tuple[Pool, ...]] = ("pooled", "practitioner")


@dataclass(frozen=True, slots=True)
class Seen:
    """A board as it stood at a position of the log."""

    position: int
    rows: dict[str, Row]
    order: Sequence[Rank]
    totals: Totals
    approaching_seconds: int

    def chosen(self, show: Show, search: str = "") -> list[Row]:
        """The rows that are shown, in order; `search` is part of a patient's id."""
        found = (self.rows[place.patient_id] for place in self.order)
        return [
            row
            for row in found
            if search.lower() in row.patient_id.lower()
            and shows(show, row, self.approaching_seconds)
        ]


class Boards:
    """The boards that were looked at last. Safe for several threads."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._lock = Lock()
        self._boards: OrderedDict[tuple[str, Month, date], _Board] = OrderedDict()

    def seen(self, place: Place) -> Seen:
        """The place's board with everything that the log holds now."""
        key = (place.practice, place.month, place.today)
        with self._lock:
            board = self._boards.get(key)
            if board is None:
                board = self._boards[key] = _Board(self._parts, place)
            self._boards.move_to_end(key)
            while len(self._boards) > BOARDS_MAX:
                self._boards.popitem(last=False)
        return board.seen()

    def keep(self) -> None:
        """Keep in the store those of which much has changed since they were kept."""
        with self._lock:
            boards = list(self._boards.values())
        for board in boards:
            board.keep()

    def make_ready(self, places: Places) -> None:
        """Make the running months of the first practices, so that nobody waits for them, and keep
        what has changed for processes that start. What goes wrong is left to whoever looks."""
        try:
            for practice in sorted(places.zones())[:READY_MAX]:
                self.seen(places.of(EVERYBODY_HERE, practice, None))
            self.keep()
        except Exception as error:
            log.warning("the boards are not ready yet: %s", type(error).__name__)


class _Board:
    """One practice's month on one day."""

    def __init__(self, parts: Parts, place: Place) -> None:
        self._store, self._practice = parts.store, place.practice
        self._policy = parts.settings.policy_of(place.practice)
        self._maker = Rows(place.month, place.today, place.now, parts.book, self._policy)
        self._runs = place.month == month_of(place.today)
        self._cuts = _cuts(place) if self._runs else {}
        self._kept = open_kept_boards(parts.store)
        day = day_kept(place.month, place.today)
        self._place = (place.practice, place.month, day, form_of(parts.making))
        self._kept_position = 0
        self._unkept = 0
        """Patients folded since the board was kept."""
        self._lock = Lock()
        self._position: int | None = None
        self._experience: dict[Pool, Experience] = {}
        self._rows: dict[str, Row] = {}
        self._order: list[Rank] = []
        self._totals: Totals | None = None

    def seen(self) -> Seen:
        with self._lock:
            if self._position is None:
                self._take_up()
            head = self._store.head()
            if self._position is None or not 0 <= head - self._position <= BEHIND_MAX:
                self._make(head)
            elif head > self._position:
                self._catch_up(self._position)
            if self._totals is None:
                margin = self._policy.approaching_seconds
                pooled = self._experience.get("pooled")
                self._totals = totals(self._rows.values(), pooled, margin)
            position = self._position
            assert position is not None
            return Seen(
                position,
                dict(self._rows),
                tuple(self._order),
                self._totals,
                self._policy.approaching_seconds,
            )

    def keep(self) -> None:
        """Keep the board for other processes, where they would have much to catch up with."""
        with self._lock:
            position, rows = self._position, self._rows
            if position is None or not self._is_due(position):
                return
            in_order = [rows[place.patient_id] for place in self._order]
            self._kept_position, self._unkept = position, 0
        self._kept.keep(packed(self._place, position, in_order, self._experience))

    def _is_due(self, position: int) -> bool:
        moved = position - self._kept_position
        return self._unkept >= KEEP_AFTER_PATIENTS or moved >= KEEP_AFTER_EVENTS

    def _take_up(self) -> None:
        """Begin where the board was kept, if one of this day and form was."""
        kept = self._kept.read(*self._place[:2])
        if kept is None or (kept.day, kept.form) != self._place[2:]:
            return
        try:
            rows, self._experience = unpacked(kept)
        except DamagedBoard as damage:
            log.warning("%s: the board is made anew", damage)
            return
        self._rows = {row.patient_id: row for row in rows}
        self._order = list(map(rank, rows))
        self._position = self._kept_position = kept.position

    def _make(self, head: int) -> None:
        """From nothing. What is stored meanwhile is caught up with at the next look."""
        cases: list[Case] = []
        courses: dict[Pool, dict[Month, list[Course]]] = {p: {} for p in POOLS}
        for patient, alerts in loaded(self._store, streams(self._store, self._practice)):
            if (case := self._maker.case(patient, alerts)) is not None:
                cases.append(case)
            for month, cut in self._cuts.items():
                for pool, one in self._maker.courses(patient, month, cut).items():
                    courses[pool].setdefault(month, []).append(one)
        self._experience = {p: Experience(courses[p].values()) for p in POOLS if self._runs}
        rows = [case.foretold(self._experience) for case in cases]
        self._rows = {row.patient_id: row for row in rows}
        self._order = sorted(map(rank, rows))
        self._totals, self._position = None, head
        self._unkept = KEEP_AFTER_PATIENTS

    def _catch_up(self, position: int) -> None:
        touched: set[str] = set()
        while page := self._store.log(position, EVENTS_AT_ONCE):
            position = page[-1].position
            touched |= {event.stream_id for event in page}
        mine = sorted(s for s in touched if split_stream_id(s)[0] == self._practice)
        for patient, alerts in loaded(self._store, mine):
            case = self._maker.case(patient, alerts)
            self._put(patient.patient_id, case and case.foretold(self._experience))
        self._position = position
        self._unkept += len(mine)

    def _put(self, patient_id: str, row: Row | None) -> None:
        old = self._rows.pop(patient_id, None)
        if old is not None:
            del self._order[bisect_left(self._order, rank(old))]
        if row is not None:
            self._rows[patient_id] = row
            insort(self._order, rank(row))
        if row != old:
            self._totals = None


def _cuts(place: Place) -> dict[Month, date]:
    """The last full months, and where each is cut to be looked at from the same distance."""
    weekdays = weekdays_from(place.today)
    months = [months_before(place.month, back) for back in range(1, MONTHS_MAX + 1)]
    return {month: cut_of(month, weekdays) for month in months}
