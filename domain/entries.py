"""Time entries: each a set of revisions, of which the one with the greatest order stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from domain.archive import Archive
from domain.event import Event, EventKey
from domain.facts import Clocked, Month, Role, TimeAmended, TimeLogged, TimeVoided, Work
from domain.time.calendar import (
    SECONDS_A_DAY,
    WIDEST_OFFSET_SECONDS,
    month_of,
    months_of_days,
)

_BY_PRACTITIONER = Role.BILLING_PRACTITIONER
_NON_CLINICAL = Role.NON_CLINICAL


@dataclass(slots=True)
class Standing:
    """What stands of an entry. `always_excluded` is a reason that no policy and no day changes."""

    entry_id: str
    event: Event
    work: Work
    by_practitioner: bool
    activity: str
    always_excluded: str | None


def _standing(event: Event, fact: TimeLogged | TimeAmended) -> Standing:
    performer, excluded = fact.performer, None
    if fact.program != "ccm":
        excluded = "other-program"
    elif performer.role is _NON_CLINICAL:
        excluded = "non-clinical"
    elif performer.outside_us:
        excluded = "outside-us"
    by_practitioner = performer.role is _BY_PRACTITIONER
    return Standing(fact.entry_id, event, fact.work, by_practitioner, fact.activity, excluded)


def months_of_work(work: Work) -> frozenset[Month]:
    """Every month the work may fall in, whatever the zone."""
    if type(work) is Clocked:
        first = (work.started_at - WIDEST_OFFSET_SECONDS) // SECONDS_A_DAY
        return _months_of(first, (work.ended_at + WIDEST_OFFSET_SECONDS) // SECONDS_A_DAY)
    return frozenset((month_of(work.performed_on),))  # type: ignore[union-attr]


@lru_cache(maxsize=65_536)
def _months_of(first_day: int, last_day: int) -> frozenset[Month]:
    """One set for all entries of these days."""
    return frozenset(months_of_days(first_day, last_day))


class Entry:
    """One `entry_id` with all its revisions, arrived in any order."""

    __slots__ = ("_withdrawn", "effective", "entry_id", "months", "revisions", "standing")

    def __init__(self, entry_id: str, first: Event, withdrawn: Collection[EventKey]) -> None:
        self.entry_id = entry_id
        self.revisions: tuple[Event, ...] = (first,)
        self._withdrawn = withdrawn
        fact = first.fact
        timed = type(fact) is not TimeVoided
        self.months: frozenset[Month] = months_of_work(fact.work) if timed else _NO_MONTHS  # type: ignore[union-attr]
        """Months that any revision may touch: what a change of this entry can change."""
        stands = not withdrawn or first.key not in withdrawn
        self.effective: Event | None = first if stands else None
        self.standing: Standing | None = _standing(first, fact) if stands and timed else None  # type: ignore[arg-type]

    @property
    def unwithdrawn(self) -> list[Event]:
        """The revisions that were not retracted."""
        return [event for event in self.revisions if event.key not in self._withdrawn]

    def add(self, event: Event, withdrawn: Collection[EventKey]) -> None:
        self.revisions += (event,)
        self._withdrawn = withdrawn
        fact = event.fact
        if type(fact) is not TimeVoided:
            months = months_of_work(fact.work)  # type: ignore[union-attr]
            self.months = self.months | months
        if not withdrawn or event.key not in withdrawn:
            self._consider(event)

    def settle(self, withdrawn: Collection[EventKey]) -> None:
        """Work out anew what stands, after the set of withdrawn events changed."""
        self.effective = self.standing = None
        self._withdrawn = withdrawn
        for event in self.revisions:
            if event.key not in withdrawn:
                self._consider(event)

    def _consider(self, event: Event) -> None:
        if self.effective is not None and self.effective.order > event.order:
            return
        self.effective = event
        fact = event.fact
        timed = type(fact) is not TimeVoided
        self.standing = _standing(event, fact) if timed else None  # type: ignore[arg-type]


class TimeEntries:
    """A patient's entries, by `entry_id` and by month. Those of a long history may be put away;
    each comes back by itself when it is asked for."""

    __slots__ = ("_archive", "_by_id", "_by_month", "_events", "changes", "withdrawn")

    def __init__(self, events: dict[EventKey, Event]) -> None:
        """`events` is where events that come out of the archive are noted."""
        self._events = events
        self._by_id: dict[str, Entry] = {}
        self._by_month: dict[Month, dict[str, Entry]] = {}
        self._archive: Archive | None = None
        self.changes: dict[Month, int] = {}
        """How often an entry of the month changed after it first arrived: a tally of the month
        holds as long as this stands and entries are only added."""
        self.withdrawn: frozenset[EventKey] = frozenset()

    def __iter__(self) -> Iterator[Entry]:
        """The entries that are not put away."""
        return iter(self._by_id.values())

    def get(self, entry_id: str) -> Entry | None:
        found = self._by_id.get(entry_id)
        if found is None and self._archive is not None:
            self._take_out(self._archive.take_entry(entry_id))
            found = self._by_id.get(entry_id)
        return found

    def in_month(self, month: Month) -> Mapping[str, Entry]:
        """By `entry_id`, the entries that any of their revisions may bring into the month."""
        if self._archive is not None:
            self._take_out(self._archive.take_month(month))
        return self._by_month.get(month, _NO_ENTRIES)

    @property
    def months(self) -> Collection[Month]:
        """Every month that any entry may touch."""
        if self._archive is None:
            return self._by_month.keys()
        return self._archive.months | self._by_month.keys()

    def event(self, key: EventKey) -> Event | None:
        """A time event by its (`source`, `id`)."""
        if self._archive is not None and key not in self._events:
            self._take_out(self._archive.take_event(key))
        return self._events.get(key)

    def fold(self, entry_id: str, event: Event) -> None:
        """One more revision, of a new entry or a known one."""
        if self._archive is not None and entry_id not in self._by_id:
            self._take_out(self._archive.take_entry(entry_id))
        self._revise(entry_id, event)

    def settle(self, entry: Entry) -> None:
        """Work out anew what stands of an entry, after `withdrawn` changed."""
        entry.settle(self.withdrawn)
        self._note_change(entry)

    def put_away(self, archive: Archive) -> None:
        """The archive holds all of these entries from now on."""
        self._by_id.clear()
        self._by_month.clear()
        self._archive = archive

    def _take_out(self, archived: Iterable[tuple[str, Event]]) -> None:
        for entry_id, event in archived:
            self._events[event.key] = event
            self._revise(entry_id, event)

    def _revise(self, entry_id: str, event: Event) -> None:
        entry = self._by_id.get(entry_id)
        if entry is None:
            entry = self._by_id[entry_id] = Entry(entry_id, event, self.withdrawn)
        else:
            entry.add(event, self.withdrawn)
            self._note_change(entry)
        for month in entry.months:
            held = self._by_month.get(month)
            if held is None:
                held = self._by_month[month] = {}
            held[entry_id] = entry

    def _note_change(self, entry: Entry) -> None:
        for month in entry.months:
            self.changes[month] = self.changes.get(month, 0) + 1


_NO_MONTHS: frozenset[Month] = frozenset()
_NO_ENTRIES: Mapping[str, Entry] = {}
